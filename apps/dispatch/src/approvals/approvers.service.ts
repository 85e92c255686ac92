import { type Decider, type PlatformError, queues, toPlatformError, topics } from '@switchyard/contracts';
import type { AuditEvent, ErrorCode } from '@switchyard/contracts';
import type { Sql } from '@switchyard/database';
import { ApiCallers, type ApiCaller, RefusalThrottle } from '@switchyard/identity';
import type { QueueClient } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';
import type { FastifyRequest } from 'fastify';

const answerWithinMs = 8_000;

type Parts = {
  readonly queue: QueueClient;
  readonly sql: Sql;
  readonly log: Log;
  readonly fetch: typeof fetch;
  readonly operatorKeySha256: string | null;
};

/** Who calls the API of approvals. Whoever is refused is audited; nobody waits for that. */
export class Approvers {
  private readonly callers: ApiCallers;
  private readonly throttle = new RefusalThrottle();

  constructor(private readonly parts: Parts) {
    const { queue, sql, fetch, operatorKeySha256 } = parts;
    this.callers = new ApiCallers({
      query: (text, params) => sql.query(text, params),
      ask: (record) => queue.request(queues.userRecords, record, { timeoutMs: answerWithinMs }),
      fetch,
      operatorKeySha256,
    });
  }

  async start(): Promise<void> {
    await this.parts.queue.subscribe(topics.registryChanged, (change) => this.callers.forget(change));
  }

  /** Throws as `ApiCallers` does. */
  async authenticate(request: FastifyRequest): Promise<ApiCaller> {
    try {
      return await this.callers.authenticate(request.headers.authorization);
    } catch (thrown) {
      const error = toPlatformError(thrown);
      this.note(error, request);
      throw error;
    }
  }

  private note({ code }: PlatformError, { method, routeOptions }: FastifyRequest): void {
    const untold = this.throttle.next(null);
    if (untold === null) return;
    const details = {
      face: 'approvals_api',
      route: `${method} ${routeOptions.url ?? 'none'}`,
      ...(untold > 0 && { untold }),
    };
    this.parts.queue
      .enqueue(queues.auditRecords, { v: 1, events: [eventOf(code, details)] })
      .catch((err: unknown) => this.parts.log.warn({ err }, 'a refused caller was not audited'));
  }
}

/** The caller as they decide. */
export function deciderOf(caller: ApiCaller): Decider {
  if (caller.kind === 'admin') return { kind: 'admin' };
  const { userId, isAdmin, person } = caller;
  return { kind: 'user', userId, isAdmin, roles: [...person.roles] };
}

/** Whether they may read all approvals of their organization. */
export function seesAll(caller: ApiCaller): boolean {
  return caller.kind === 'admin' || caller.isAdmin || caller.isAuditor;
}

function eventOf(code: ErrorCode, details: AuditEvent['details']): AuditEvent {
  return {
    ...{ orgId: null, at: Date.now(), action: 'caller_refused' },
    result: code === 'dependency_unavailable' ? 'failed' : 'refused',
    actor: { kind: 'anonymous', id: null },
    ...{ userId: null, integrationId: null, callId: null, authPath: null },
    code,
    details,
  };
}

import type { OnModuleInit } from '@nestjs/common';
import type { SnapshotStore } from '@switchyard/access';
import { PlatformError, queues, toPlatformError, topics } from '@switchyard/contracts';
import type { Sql } from '@switchyard/database';
import { type ApiCaller, ApiCallers, bearerJwt, organizationMeant } from '@switchyard/identity';
import type { EgressPolicy } from '@switchyard/mcp-client';
import type { QueueClient } from '@switchyard/queue';
import type { FastifyRequest } from 'fastify';
import type { RefusalsService } from './refusals.service.js';

const askTimeoutMs = 5_000;
const keysLimits = { maxBodyBytes: 262_144, headersTimeoutMs: 5_000, bodyIdleTimeoutMs: 5_000 };

type Parts = {
  readonly sql: Sql;
  readonly queue: QueueClient;
  readonly egress: EgressPolicy;
  readonly snapshots: SnapshotStore;
  readonly refusals: RefusalsService;
  readonly adminKeySha256: string | null;
};

/** Who calls: a user by their own token, or a program by an admin key. Whoever is refused is audited. */
export class ApiCallersService implements OnModuleInit {
  readonly #callers: ApiCallers;

  constructor(private readonly parts: Parts) {
    const { sql, queue, egress, adminKeySha256 } = parts;
    this.#callers = new ApiCallers({
      query: (text, params) => sql.query(text, params),
      fetch: ((url: string | URL, init?: RequestInit) =>
        egress.fetchLimited(url, init as never, keysLimits)) as typeof fetch,
      ask: (record) => queue.request(queues.userRecords, record, { timeoutMs: askTimeoutMs }),
      operatorKeySha256: adminKeySha256,
    });
  }

  async onModuleInit(): Promise<void> {
    await this.parts.queue.subscribe(topics.registryChanged, (change) => this.#callers.forget(change));
  }

  /** Throws `unauthenticated`, `token_expired`, `user_inactive`, or `dependency_unavailable`. */
  async authenticate(request: FastifyRequest): Promise<ApiCaller> {
    const { authorization } = request.headers;
    try {
      const caller = await this.#callers.authenticate(authorization);
      const { inactiveUsers } = this.parts.snapshots.current();
      if (caller.kind === 'user' && inactiveUsers.has(caller.userId))
        throw new PlatformError('user_inactive');
      return caller;
    } catch (thrown) {
      const { code } = toPlatformError(thrown);
      if (authorization !== undefined && code !== 'dependency_unavailable')
        this.parts.refusals.note(code, request, this.#organizationMeant(authorization));
      throw thrown;
    }
  }

  #organizationMeant(authorization: string): string | null {
    const jwt = bearerJwt({ headers: { authorization } });
    return jwt === undefined
      ? null
      : organizationMeant(jwt, this.parts.snapshots.current().identityProviders);
  }
}

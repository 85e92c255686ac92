import { type AuditEvent, queues } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { AdminContext, WithAdmin } from './admin-context.js';

type Seen = FastifyRequest & WithAdmin & { changedId?: string };

/** They only look, though they take a body. */
const looks = new Set(['/api/policies/preview', '/api/integrations/discover']);
/** Answers that hold an id are far smaller; longer ones are not parsed for it. */
const maxParsedBytes = 65_536;

/**
 * Tells the audit log of every change that an admin made: by which route, to which row. Values are not told, since they
 * may be secret. Nobody waits for it; the queue keeps what the broker has not taken yet.
 */
export function auditChanges(app: NestFastifyApplication): void {
  const [queue, log] = [app.get(QueueClient), app.get(Log)];
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onSend', (request: Seen, _reply, payload, done) => {
    if (isChange(request)) request.changedId = idOf(request, payload);
    done(null, payload);
  });
  fastify.addHook('onResponse', (request: Seen, { statusCode }, done) => {
    const { admin } = request;
    if (admin && isChange(request) && statusCode < 300)
      queue
        .enqueue(queues.auditRecords, { v: 1, events: [eventOf(admin, request)] })
        .catch((err: unknown) => log.warn({ err }, 'a change of an admin was not audited'));
    done();
  });
}

function isChange({ method, routeOptions }: FastifyRequest): boolean {
  return !['GET', 'HEAD', 'OPTIONS'].includes(method) && !looks.has(routeOptions.url ?? '');
}

function eventOf(admin: AdminContext, { method, routeOptions, changedId }: Seen): AuditEvent {
  const route = routeOptions.url ?? 'none';
  const isOfIntegration = /^\/api\/(integrations|mcp\/client)(\/|$)/.test(route);
  return {
    orgId: admin.orgId,
    at: Date.now(),
    action: 'settings_changed',
    result: 'ok',
    actor: admin.actor,
    ...{ userId: null, callId: null, authPath: null, code: null },
    integrationId: isOfIntegration ? (changedId ?? null) : null,
    details: { face: 'admin_api', route: `${method} ${route}`, ...(changedId && { id: changedId }) },
  };
}

/** Of the row in the path, else of the one that was made. */
function idOf({ params }: FastifyRequest, payload: unknown): string | undefined {
  const named = (params as { id?: unknown } | undefined)?.id;
  if (typeof named === 'string') return named;
  if (typeof payload !== 'string' || payload.length > maxParsedBytes) return undefined;
  try {
    const { id } = JSON.parse(payload) as { id?: unknown };
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}

export type Route = { readonly method: string; readonly path: string; readonly body?: object };
type Document = { readonly paths: Record<string, Record<string, unknown>> };

const prefixes = ['/api/agents/', '/api/runs/', '/api/approvals/', '/api/chat/', '/api/conversations/'];
const methods = ['get', 'post', 'put', 'patch', 'delete'];

/** Valid bodies: a route must not be saved by refusing what is sent to it. */
const bodies: Record<string, object> = {
  'PATCH /api/agents/{id}': { name: 'Changed' },
  'POST /api/agents/{agentId}/schedules': { name: 'more', cron: '0 0 1 1 *', input: 'go' },
  'PATCH /api/agents/{agentId}/schedules/{id}': { name: 'changed' },
  'POST /api/agents/{agentId}/webhooks': { name: 'more', input: 'go' },
  'PATCH /api/agents/{agentId}/webhooks/{id}': { name: 'changed' },
  'POST /api/agents/{agentId}/webhooks/{id}/rotate-secret': {},
  'POST /api/approvals/{id}/approve': {},
  'POST /api/approvals/{id}/deny': {},
};

/** Every route of agents, their triggers, runs, approvals and chats that takes an id, as the published document has them. */
export function routesWithIds({ paths }: Document): Route[] {
  return Object.entries(paths)
    .filter(([path]) => path.includes('{') && prefixes.some((prefix) => path.startsWith(prefix)))
    .flatMap(([path, item]) =>
      methods
        .filter((method) => method in item)
        .map((name) => {
          const method = name.toUpperCase();
          const body = bodies[`${method} ${path}`];
          return { method, path, ...(body && { body }) };
        }),
    );
}

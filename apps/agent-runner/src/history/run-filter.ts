import { PlatformError, RunStateSchema } from '@switchyard/contracts';
import type { ApiCaller } from '@switchyard/identity';
import { decodeCursor, PageQuery, Rfc3339Time } from '@switchyard/service-kit';
import { z } from 'zod';

const filters = {
  agent_id: z.uuid().optional(),
  state: RunStateSchema.optional(),
  kind: z.enum(['chat', 'schedule', 'webhook']).optional(),
  user_id: z.uuid().optional(),
  conversation_id: z.uuid().optional(),
  schedule_id: z.uuid().optional(),
  webhook_id: z.uuid().optional(),
  /** Of an iteration: the model's step and its calls share it. */
  request_id: z.uuid().optional(),
  call_id: z.uuid().optional(),
  since: Rfc3339Time.optional(),
  until: Rfc3339Time.optional(),
};

export const ListRuns = z.strictObject({ ...PageQuery.shape, ...filters });
export type ListRuns = z.output<typeof ListRuns>;
export const ExportRuns = z.strictObject(filters);
export type ExportRuns = z.output<typeof ExportRuns>;

/** Conditions on runs, and their parameters. */
export type RunFilter = { readonly where: string; readonly params: readonly unknown[] };

/** Admins and auditors see the runs of their organization; everybody else the runs that they began. */
export function seesAll(caller: ApiCaller): boolean {
  return caller.kind === 'admin' || caller.isAdmin || caller.isAuditor;
}

/** Throws `forbidden` where a user asks for somebody else's runs. */
export function toFilter(caller: ApiCaller, query: ExportRuns & { cursor?: string }): RunFilter {
  const own = caller.kind === 'user' && !seesAll(caller) ? caller.userId : undefined;
  if (own !== undefined && query.user_id !== undefined && query.user_id !== own)
    throw new PlatformError('forbidden', { message: 'Users see the runs that they began.' });
  const params: unknown[] = [];
  const put = (value: unknown): string => `$${params.push(value)}`;
  const conditions: [string | undefined, (value: string) => string][] = [
    [caller.orgId, (value) => `r.org_id = ${put(value)}`],
    [own ?? query.user_id, (value) => `r.caller ->> 'userId' = ${put(value)}`],
    [query.agent_id, (value) => `r.agent_id = ${put(value)}`],
    [query.state, (value) => `r.state = ${put(value)}`],
    [query.kind, (value) => `r.caller ->> 'runKind' = ${put(value)}`],
    [query.conversation_id, (value) => `r.conversation_id = ${put(value)}`],
    [query.schedule_id, (value) => `r.trigger_id = ${put(value)}`],
    [query.webhook_id, (value) => `r.trigger_id = ${put(value)}`],
    [query.since, (value) => `r.created_at >= ${put(value)}`],
    [query.until, (value) => `r.created_at < ${put(value)}`],
    [query.request_id, (value) => inRows('run_steps', `request_id = ${put(value)}`)],
    [query.call_id, (value) => inRows('run_calls', `call_id = ${put(value)}`)],
    [query.cursor, (value) => `r.id < ${put(decodeCursor(z.uuid(), value))}`],
  ];
  const where = conditions.flatMap(([value, condition]) => (value === undefined ? [] : [condition(value)]));
  return { where: where.join(' AND '), params };
}

function inRows(table: string, condition: string): string {
  return `r.id IN (SELECT run_id FROM runs.${table} WHERE ${condition})`;
}

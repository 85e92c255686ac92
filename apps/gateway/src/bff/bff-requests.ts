import { FilterQuery, filterFields } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { z } from 'zod';
import { IdempotencyKey } from '@switchyard/service-kit';

const longestWaitSeconds = 60;

/** The body of `POST /api/bff/tools/call`: `tool_id` wins over `name`, and one of them is needed. */
export const CallBody = z
  .strictObject({
    tool_id: z.string().min(1).max(512).nullish(),
    name: z.string().min(1).max(256).nullish(),
    arguments: z.record(z.string(), z.unknown()).nullish(),
    /** False leaves the check to the vendor; null is the tool's default, which is to check. */
    validate_schema: z.boolean().nullish(),
    idempotency_key: IdempotencyKey.optional(),
    ...filterFields,
  })
  .refine(({ tool_id, name }) => (tool_id ?? name) !== undefined && (tool_id ?? name) !== null, {
    message: 'tool_id or name is required',
    path: ['tool_id'],
  });
export type CallBody = z.output<typeof CallBody>;

export const ToolListFormat = z.enum(['bff', 'openai']).default('bff');

/** What the query of a list or a stream asks for besides its filter. */
export const ToolListQuery = FilterQuery.extend({ format: ToolListFormat });

/** How long a caller is ready to wait (RFC 7240): `respond-async`, or `wait=` up to a minute. */
export type Patience = { readonly waitMs: number; readonly applied?: string };

/** What `Prefer` asks for. Preferences that say nothing of waiting, or make no sense, are none. */
export function patienceOf(header: string | string[] | undefined, usualMs: number): Patience {
  const preferences = [header ?? []].flat().flatMap((value) => value.split(','));
  for (const preference of preferences.map((text) => text.trim().toLowerCase())) {
    if (preference === 'respond-async') return { waitMs: 0, applied: preference };
    const wanted = /^wait\s*=\s*"?(\d{1,6})"?$/.exec(preference)?.[1];
    if (wanted === undefined) continue;
    const seconds = Math.min(Number(wanted), longestWaitSeconds);
    return { waitMs: seconds * 1_000, applied: `wait=${seconds}` };
  }
  return { waitMs: usualMs };
}

export function toolIdOf({ tool_id: toolId, name }: CallBody): string {
  const given = toolId ?? name;
  if (given === undefined || given === null) throw new PlatformError('invalid_request');
  return given;
}

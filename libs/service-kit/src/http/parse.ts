import type { z } from 'zod';
import { invalidRequest } from './problem.js';

/** The body, typed. Throws `invalid_request` whose `details.errors` name the fields. */
export function parseBody<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value ?? {});
  if (!parsed.success) throw invalidRequest(parsed.error);
  return parsed.data;
}

/** The query or the path parameters, typed: all values arrive as text. Throws `invalid_request`. */
export function parseQuery<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  return parseBody(schema, value);
}

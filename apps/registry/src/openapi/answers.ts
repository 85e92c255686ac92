import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { errorCatalog } from '@switchyard/contracts';
import type { ErrorCode } from '@switchyard/contracts';
import { z } from 'zod';

/** The body of every error answer (RFC 9457). */
export const ProblemAnswer = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(errorCatalog) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string(),
    next: z.string().describe('What to do next.'),
    call_id: z.uuid().optional(),
    request_id: z.string().optional(),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
    retry_after_ms: z.int().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'Problem' });

type Answer = { summary: string; status: number; schema?: z.ZodType; errors: ErrorCode[] };

/** Every route can answer with these. */
const always: ErrorCode[] = [
  'unauthenticated',
  'token_expired',
  'forbidden',
  'user_inactive',
  'dependency_unavailable',
  'internal',
];

/** Describes a route for the OpenAPI document: what it answers, and with which errors. */
export function Answers({ summary, status, schema, errors }: Answer): MethodDecorator {
  const byStatus = Map.groupBy(new Set([...errors, ...always]), (code) => errorCatalog[code].httpStatus);
  const problems = [...byStatus].map(([code, codes]) => problemResponse(code, codes));
  const success = ApiResponse({ status, description: summary, ...(schema && { standardSchema: schema }) });
  return applyDecorators(ApiOperation({ summary }), success, ...problems);
}

/** A page of a list. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.strictObject({
    items: z.array(item),
    next_cursor: z.string().nullable().describe('Null on the last page.'),
  });
}

function problemResponse(status: number, codes: ErrorCode[]): MethodDecorator {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return ApiResponse({ status, description: `\`${codes.join('`, `')}\``, content });
}

import { Injectable } from '@nestjs/common';
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { parseBody } from '@switchyard/service-kit';
import type { z } from 'zod';
import { refuseFields } from './refuse-fields.js';
import { unstorableText } from './unstorable-text.js';

/**
 * Parses what a handler takes by the zod schema in its decorator, `@Body({ schema })`: the same one from which the
 * OpenAPI document is made. A path parameter that does not fit names nothing, so it is `not_found` like any other.
 */
@Injectable()
export class SchemaPipe implements PipeTransform {
  transform(value: unknown, { schema, type }: ArgumentMetadata): unknown {
    if (!schema) return value;
    if (type === 'param') return parseParameter(schema as z.ZodType, value);
    const parsed = parseBody(schema as z.ZodType, value);
    refuseFields(unstorableText(parsed));
    return parsed;
  }
}

function parseParameter(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value);
  if (!parsed.success || unstorableText(parsed.data).length > 0) throw new PlatformError('not_found');
  return parsed.data;
}

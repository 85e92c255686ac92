import { inspect } from 'node:util';
import { z } from 'zod';
import { hideFromLogs } from '../logs/redact.js';

/**
 * A value that prints as `[redacted]` wherever it is logged, inspected, joined or serialized. Only `reveal()` hands
 * it out. Its text is also scrubbed from every log line of the process, in case a library repeats it in an error.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    hideFromLogs(value);
  }

  reveal(): string {
    return this.#value;
  }

  toString(): '[redacted]' {
    return '[redacted]';
  }

  toJSON(): '[redacted]' {
    return '[redacted]';
  }

  [inspect.custom](): '[redacted]' {
    return '[redacted]';
  }
}

/** What examples, forms and hurried people put where a key should stand (CVE-2026-53709: a shipped default). */
const placeholder = /change.?me|default|example|insert|password|placeholder|replace|your.?key/i;
const leastDistinct = 8;

/** A non-empty setting that must not be seen, of at least `minLength` characters. */
export function secret(options: { minLength?: number } = {}): z.ZodType<Secret, string> {
  return z
    .string()
    .min(options.minLength ?? 1)
    .transform((value) => new Secret(value));
}

/** A key that operators make themselves: of at least `minLength` characters, and no placeholder. Never repeats the key. */
export function keySecret({ minLength }: { minLength: number }): z.ZodType<Secret, string> {
  return z
    .string()
    .min(minLength)
    .refine((value) => !placeholder.test(value), 'must not be a placeholder or a default')
    .refine(
      (value) => new Set(value).size >= leastDistinct,
      'must be random: `openssl rand -base64 32` makes one',
    )
    .transform((value) => new Secret(value));
}

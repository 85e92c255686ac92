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

/** A non-empty setting that must not be seen, of at least `minLength` characters. */
export function secret(options: { minLength?: number } = {}): z.ZodType<Secret, string> {
  return z
    .string()
    .min(options.minLength ?? 1)
    .transform((value) => new Secret(value));
}

import { z } from 'zod';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration as `1500` (milliseconds), `500ms`, `30s`, `10m`, `2h` or `7d`; gives milliseconds. */
export function durationMs(): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d+(ms|s|m|h|d)?$/, 'must be a duration such as 500ms, 30s, 10m, 2h or 7d')
    .transform((text) => {
      const unit = /[a-z]+$/.exec(text)?.[0] as keyof typeof unitMs | undefined;
      return Number.parseInt(text, 10) * unitMs[unit ?? 'ms'];
    });
}

/** `true`, `1`, `yes`, `on` or `false`, `0`, `no`, `off`. */
export function booleanFlag(): z.ZodType<boolean, string> {
  return z
    .string()
    .toLowerCase()
    .refine((text) => /^(true|1|yes|on|false|0|no|off)$/.test(text), 'must be true or false')
    .transform((text) => /^(true|1|yes|on)$/.test(text));
}

/** A whole number within limits. */
export function wholeNumber(limits: { min?: number; max?: number } = {}): z.ZodType<number, string> {
  const number = z
    .number()
    .int()
    .min(limits.min ?? 0)
    .max(limits.max ?? Number.MAX_SAFE_INTEGER);
  return z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(number) as z.ZodType<number, string>;
}

/** A TCP port; 0 asks for a free one. */
export function portNumber(): z.ZodType<number, string> {
  return wholeNumber({ max: 65_535 });
}

/** A list separated by commas; blanks around the items are dropped. */
export function commaList(): z.ZodType<string[], string> {
  return z.string().transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
}

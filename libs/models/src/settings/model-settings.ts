import { z } from 'zod';

const common = {
  /** The model's name as its provider knows it. */
  model: z.string().min(1).max(200),
  max_output_tokens: z.int().positive().max(1_000_000).optional(),
  temperature: z.number().min(0).max(2).optional(),
  /** How much the model thinks before it answers; absent: the provider's default. */
  reasoning: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).optional(),
  /** For one answer, retries included. */
  timeout_ms: z.int().min(1_000).max(3_600_000).default(300_000),
  /** Until the provider begins to answer. */
  first_byte_timeout_ms: z.int().min(1_000).max(600_000).default(60_000),
  /** The longest pause within an answer. */
  idle_timeout_ms: z.int().min(1_000).max(600_000).default(60_000),
  /** Further attempts after a failure that may pass, as long as nothing of an answer was passed on. */
  max_retries: z.int().min(0).max(5).default(2),
};

const baseUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => !/[?#@]/.test(text), 'must have no user, query or fragment')
  // Tried at the first slash of a row only: from each, many slashes would cost their square.
  .transform((text) => text.replace(/(?<!\/)\/+$/, ''));

/** Which model answers, where, and within which limits. Holds no key: that is the vault's. */
export const ModelSettings = z.discriminatedUnion('provider', [
  z.strictObject({ provider: z.literal('openai'), base_url: baseUrl.optional(), ...common }),
  z.strictObject({ provider: z.literal('anthropic'), base_url: baseUrl.optional(), ...common }),
  /** Any server with OpenAI's chat completions; `base_url` ends where `/chat/completions` begins. */
  z.strictObject({ provider: z.literal('openai_compatible'), base_url: baseUrl, ...common }),
]);
export type ModelSettings = z.output<typeof ModelSettings>;
/** Settings as they are written, defaults left out. */
export type ModelSettingsInput = z.input<typeof ModelSettings>;

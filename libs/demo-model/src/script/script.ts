import { z } from 'zod';

/** When a turn applies: all that is given must hold. Nothing given: always. */
export const TurnMatcher = z.strictObject({
  /** The last user message contains this. */
  last_user: z.string().optional(),
  /** A regular expression on the last user message; its groups fill `{{1}}`, `{{2}}` … of the answer. */
  last_user_matches: z.string().optional(),
  /** Any message contains this, whatever its role. */
  contains: z.string().optional(),
  last_role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']).optional(),
  /** The conversation ends with the result of a call of this tool, among others or alone. */
  result_of: z.string().optional(),
  /** How many assistant messages there were since the last user message: 0 for the first step of a run. */
  step: z.int().nonnegative().optional(),
  offers_tool: z.string().optional(),
  offers_no_tool: z.string().optional(),
});
export type TurnMatcher = z.infer<typeof TurnMatcher>;

const ScriptedCall = z.strictObject({
  /** By default `call_<number of the request>_<place>`. */
  id: z.string().optional(),
  name: z.string(),
  /** An object, or text as it is, which may be no JSON at all. */
  arguments: z.union([z.record(z.string(), z.unknown()), z.string()]).default({}),
});

/**
 * What the model does. `{{last_user}}`, `{{last_result}}` and the groups `{{1}}` … of `last_user_matches` are filled
 * in in texts and arguments.
 */
export const TurnAnswer = z.strictObject({
  text: z.string().optional(),
  tool_calls: z.array(ScriptedCall).optional(),
  finish_reason: z.string().optional(),
  usage: z
    .strictObject({ prompt_tokens: z.int().nonnegative(), completion_tokens: z.int().nonnegative() })
    .optional(),
  /** Refused with this status, in the shape of OpenAI's errors. */
  error: z
    .strictObject({
      status: z.int().min(400).max(599),
      message: z.string().default('The script says so.'),
      type: z.string().optional(),
      code: z.string().optional(),
      retry_after_s: z.int().nonnegative().optional(),
    })
    .optional(),
  /** Waits before the first byte. */
  delay_ms: z.int().nonnegative().optional(),
  /** Waits between two chunks of a stream. */
  chunk_delay_ms: z.int().nonnegative().optional(),
  /** Cuts the connection: before anything is answered, or after half of the answer. */
  drop: z.enum(['before', 'midway']).optional(),
  /** A stream that never ends by itself. */
  endless: z.literal(true).optional(),
  /** `body`: 200 with what is no JSON (no event, when streaming); `shape`: JSON that is no completion. */
  malformed: z.enum(['body', 'shape']).optional(),
});
export type TurnAnswer = z.infer<typeof TurnAnswer>;

export const ScriptTurn = z.strictObject({
  /** For the log of requests. */
  name: z.string().optional(),
  when: TurnMatcher.default({}),
  /** How often the turn may be used. */
  times: z.union([z.int().positive(), z.literal('any')]).default(1),
  answer: TurnAnswer,
});

/** Turns in order: the first one that applies and is not used up answers. */
export const ModelScript = z.strictObject({ turns: z.array(ScriptTurn) });
export type ModelScript = z.output<typeof ModelScript>;
/** A script as it is written, defaults left out. */
export type ModelScriptInput = z.input<typeof ModelScript>;

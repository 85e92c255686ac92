import type { AssistantModelMessage, LanguageModelUsage } from 'ai';

/** A call that the model asks for. */
export type AskedToolCall = {
  /** The provider's id of the call within the conversation. */
  readonly id: string;
  /** By the name that the model was given. */
  readonly name: string;
  readonly arguments: Record<string, unknown>;
  /** Why the call cannot be made as it stands; its `arguments` are then `{}`. It needs a result all the same. */
  readonly problem?: 'unknown_tool' | 'invalid_arguments';
};

/** Tokens as the provider counted them; null where it did not say. */
export type ModelUsage = {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly totalTokens: number | null;
  readonly cachedInputTokens: number | null;
  readonly reasoningTokens: number | null;
};

/** One answer of a model: plain JSON, so that it can be stored before anything is made of it. */
export type ModelAnswer = {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly AskedToolCall[];
  readonly finishReason: 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'other';
  readonly usage: ModelUsage;
  /** What the conversation goes on with, the provider's own marks included; null where the model said nothing. */
  readonly message: AssistantModelMessage | null;
  /** The model that answered, as the provider names it. */
  readonly model: string;
  /** How often the provider was asked. */
  readonly attempts: number;
};

/** The usage of one answer. */
export function toModelUsage(usage: LanguageModelUsage): ModelUsage {
  return {
    inputTokens: toCount(usage.inputTokens),
    outputTokens: toCount(usage.outputTokens),
    totalTokens: toCount(usage.totalTokens),
    cachedInputTokens: toCount(usage.inputTokenDetails.cacheReadTokens),
    reasoningTokens: toCount(usage.outputTokenDetails.reasoningTokens),
  };
}

/** A provider may say anything; what counts nothing is as if it had not said it. */
function toCount(said: number | undefined): number | null {
  return Number.isSafeInteger(said) && Number(said) >= 0 ? Number(said) : null;
}

/** Sums of several answers; what nobody counted stays null. */
export function addUsage(a: ModelUsage, b: ModelUsage): ModelUsage {
  const sum = (key: keyof ModelUsage): number | null =>
    a[key] === null && b[key] === null
      ? null
      : Math.min((a[key] ?? 0) + (b[key] ?? 0), Number.MAX_SAFE_INTEGER);
  return {
    inputTokens: sum('inputTokens'),
    outputTokens: sum('outputTokens'),
    totalTokens: sum('totalTokens'),
    cachedInputTokens: sum('cachedInputTokens'),
    reasoningTokens: sum('reasoningTokens'),
  };
}

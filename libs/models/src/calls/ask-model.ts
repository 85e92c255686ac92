import { setTimeout as wait } from 'node:timers/promises';
import { PlatformError } from '@switchyard/contracts';
import type { ModelMessage, ToolSet } from 'ai';
import type { ConfiguredModel } from '../settings/create-model.js';
import { IdleWatch } from './idle-watch.js';
import type { ModelAnswer } from './model-answer.js';
import { readStream } from './read-stream.js';
import { retryDelayMs } from './retry-delay.js';
import { toModelError } from './to-model-error.js';

/** What a waiting person may see of an answer before it is there. */
export type AnswerPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'tool_call_started'; readonly id: string; readonly name: string };

export type ModelRequest = {
  readonly instructions?: string;
  /** The conversation; instructions stand apart from it. */
  readonly messages: readonly ModelMessage[];
  /** Offered to the model and never run here (`toModelTools`). */
  readonly tools?: ToolSet;
  /** `none`: the tools stay known, for calls in the conversation, but the model is to answer in words. */
  readonly toolChoice?: 'auto' | 'none';
  readonly signal?: AbortSignal;
  /** Called for each part as it comes; from the first one on, a failure is retried only where `onAgain` is there. */
  readonly onPart?: (part: AnswerPart) => void;
  /** Called before the model is asked again after parts were passed on: they count for nothing. */
  readonly onAgain?: () => void;
};

/**
 * Asks the model for one answer. Tools are not run: who asks decides about the calls that the model wants. A failure
 * that may pass is retried as long as nothing was passed on. Throws a `PlatformError`: `model_*`, `egress_denied`,
 * or `cancelled` when `signal` fired.
 */
export async function askModel(model: ConfiguredModel, request: ModelRequest): Promise<ModelAnswer> {
  const timeout = AbortSignal.timeout(model.settings.timeout_ms);
  const signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout;
  for (let attempt = 1; ; attempt++) {
    let hasPassedOn = false;
    const onPart = request.onPart && passing(request.onPart, () => (hasPassedOn = true));
    const takeBack = () => hasPassedOn && request.onAgain?.();
    try {
      return { ...(await readWatched(model, { ...request, signal, onPart })), attempts: attempt };
    } catch (thrown) {
      if (request.signal?.aborted) throw new PlatformError('cancelled');
      if (timeout.aborted) throw tooLate(model);
      const error = thrown instanceof IdleAnswer ? idle(model) : toModelError(thrown, model);
      const delayMs = retryDelayMs(error, attempt, mostRetries(model, request, hasPassedOn));
      if (delayMs === null) throw error;
      await pause(delayMs, signal, () => (request.signal?.aborted ? new PlatformError('cancelled') : error));
      takeBack();
    }
  }
}

/** One attempt, left where nothing of an answer comes any more. */
async function readWatched(model: ConfiguredModel, request: ModelRequest & { signal: AbortSignal }) {
  const watch = new IdleWatch(model.settings);
  const signal = AbortSignal.any([request.signal, watch.signal]);
  try {
    return await readStream(model, { ...request, signal, onProgress: () => watch.renew() });
  } catch (thrown) {
    throw watch.signal.aborted ? new IdleAnswer() : thrown;
  } finally {
    watch.close();
  }
}

class IdleAnswer extends Error {}

/** What was passed on is not contradicted behind the back of who heard it. */
function mostRetries({ settings }: ConfiguredModel, { onAgain }: ModelRequest, hasPassedOn: boolean): number {
  return hasPassedOn && !onAgain ? 0 : settings.max_retries;
}

function passing(onPart: (part: AnswerPart) => void, first: () => void): (part: AnswerPart) => void {
  return (part) => {
    first();
    onPart(part);
  };
}

/** Where the pause is cut short by the time limit, the failure before it is the better reason. */
async function pause(delayMs: number, signal: AbortSignal, cutShort: () => PlatformError): Promise<void> {
  await wait(delayMs, undefined, { signal }).catch(() => {
    throw cutShort();
  });
}

function tooLate(model: ConfiguredModel): PlatformError {
  return unavailable(model, `It did not finish within ${model.settings.timeout_ms} ms.`);
}

function idle(model: ConfiguredModel): PlatformError {
  return unavailable(model, `Nothing of an answer came for ${model.settings.idle_timeout_ms} ms.`);
}

function unavailable({ settings }: ConfiguredModel, message: string): PlatformError {
  const details = { provider: settings.provider, model: settings.model };
  return new PlatformError('model_unavailable', { message, details });
}

import type { ChatRequest } from '../wire/chat-request.js';
import type { ModelAnswer } from '../wire/model-answer.js';
import { OpenAiError } from '../wire/openai-error.js';
import { matchTurn, type Captures } from './match-turn.js';
import type { ModelScript, TurnAnswer } from './script.js';

/** The turn that answers a request. */
export type ScriptedAnswer = {
  readonly turn: string;
  readonly answer: ModelAnswer;
  readonly behaviour: TurnAnswer;
};

/** A script on its way: which turns are used up. */
export class ScriptedAnswers {
  private readonly uses: number[];

  constructor(private readonly script: ModelScript) {
    this.uses = script.turns.map(() => 0);
  }

  /** Uses the first turn that applies. Throws a 400 `script_exhausted`, which nobody retries, when none does. */
  next(request: ChatRequest, number: number): ScriptedAnswer {
    for (const [index, turn] of this.script.turns.entries()) {
      const used = this.uses[index] ?? 0;
      if (turn.times !== 'any' && used >= turn.times) continue;
      const captures = matchTurn(turn.when, request);
      if (!captures) continue;
      this.uses[index] = used + 1;
      return {
        turn: turn.name ?? String(index),
        answer: toAnswer(turn.answer, captures, number),
        behaviour: turn.answer,
      };
    }
    throw new OpenAiError(400, 'No turn of the script applies to this request.', {
      code: 'script_exhausted',
    });
  }
}

function toAnswer(answer: TurnAnswer, captures: Captures, number: number): ModelAnswer {
  return {
    text: fill(answer.text ?? '', captures),
    toolCalls: (answer.tool_calls ?? []).map((call, place) => ({
      id: call.id ?? `call_${number}_${place}`,
      name: call.name,
      arguments:
        typeof call.arguments === 'string'
          ? fill(call.arguments, captures)
          : JSON.stringify(filled(call.arguments, captures)),
    })),
    finishReason: answer.finish_reason,
    usage: answer.usage && {
      promptTokens: answer.usage.prompt_tokens,
      completionTokens: answer.usage.completion_tokens,
    },
  };
}

function fill(text: string, captures: Captures): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => captures[name] ?? whole);
}

/** Templates are filled in values, so that no quote in a message breaks the JSON. */
function filled(value: unknown, captures: Captures): unknown {
  if (typeof value === 'string') return fill(value, captures);
  if (Array.isArray(value)) return value.map((item) => filled(item, captures));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, captures)]));
}

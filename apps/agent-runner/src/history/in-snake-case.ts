import type { RunOutput } from '@switchyard/contracts';

/** How a call of a run ended, as the API writes it; what a tool answered stays as it came. */
export function outcomeAnswer(outcome: Readonly<Record<string, unknown>> | null) {
  if (outcome === null) return null;
  const { callId, authPath, ...rest } = outcome;
  return {
    ...rest,
    ...(callId !== undefined && { call_id: callId }),
    ...(authPath !== undefined && { auth_path: authPath }),
  };
}

/** What a run ended with, as the API writes it. */
export function outputAnswer(output: RunOutput | null) {
  if (output === null) return null;
  if (output.kind === 'text')
    return { kind: output.kind, text: output.text, finish_reason: output.finishReason };
  return {
    kind: output.kind,
    results: output.results.map(({ callId, outwardName, outcome }) => ({
      ...{ call_id: callId, tool: outwardName, outcome: outcomeAnswer(outcome) },
    })),
    ...(output.modelError && { model_error: output.modelError }),
  };
}

export type OutputAnswer = ReturnType<typeof outputAnswer>;

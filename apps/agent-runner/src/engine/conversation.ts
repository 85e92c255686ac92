import { frameUntrusted, type ModelMessage, toolResultsMessage, untrustedDataRule } from '@switchyard/models';
import type { AgentDefinition, RunInput } from '@switchyard/contracts';
import { isOversize } from '../calls/oversize.js';
import type { RunCall, RunData, RunStep } from '../runs/run-data.js';

/** Asks for an answer out of the results that are there. */
const synthesisPrompt =
  'Answer the request now, out of the results above. Say so where they do not suffice. Call no more tools.';

const oversizeNote = 'The results are as much as can be read in one run; some are left out.';

/** What the run is asked, as the model reads it. Data of others is framed once, as the frame is new each time. */
export function openingMessage({ text, data }: RunInput): ModelMessage {
  const framed = data && frameUntrusted(data.text, { source: data.source });
  return { role: 'user', content: [text, framed].filter(Boolean).join('\n\n') };
}

/** The instructions of the agent, and the rule that results are data. */
export function instructionsOf({ instructions }: AgentDefinition): string {
  return [instructions, untrustedDataRule].filter(Boolean).join('\n\n');
}

/** What the model said and read in this run. A turn of which a call is open is left out: no provider takes it. */
export function runMessages({ steps, calls }: Pick<RunData, 'steps' | 'calls'>): ModelMessage[] {
  return steps.flatMap((step) =>
    stepMessages(
      step,
      calls.filter((call) => call.step === step.position),
    ),
  );
}

/** The conversation as the next step of this kind reads it. */
export function conversationFor(kind: RunStep['kind'], data: RunData): ModelMessage[] {
  const messages = [...(data.run.history ?? []), ...runMessages(data)];
  if (kind !== 'synthesis') return messages;
  const content = isOversize(data.calls) ? `${oversizeNote} ${synthesisPrompt}` : synthesisPrompt;
  return [...messages, { role: 'user', content }];
}

function stepMessages({ answer, kind }: RunStep, calls: readonly RunCall[]): ModelMessage[] {
  if (!answer) return [];
  // Whatever a synthesis asks for is not called: its words are what counts.
  if (kind === 'synthesis') return answer.text ? [{ role: 'assistant', content: answer.text }] : [];
  const results = calls.flatMap(({ asked, output }) => (output ? [{ call: asked, output }] : []));
  if (!answer.message || results.length < answer.toolCalls.length) return [];
  return results.length > 0 ? [answer.message, toolResultsMessage(results)] : [answer.message];
}

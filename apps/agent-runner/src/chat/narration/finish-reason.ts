import type { WatchedRun } from '../../watch/watched-runs.repository.js';

type FinishReason = 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'other';

const reasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content-filter',
  tool_calls: 'tool-calls',
};

/** Why the message ends here, in `ai`'s words. A run that waits for somebody ends it with calls. */
export function finishReasonOf({ output }: WatchedRun): FinishReason {
  if (output?.kind === 'text') return reasons[output.finishReason] ?? 'other';
  return output ? 'stop' : 'tool-calls';
}

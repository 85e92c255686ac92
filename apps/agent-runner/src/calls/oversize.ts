import type { ToolOutput } from '@switchyard/models';
import type { RunCall } from '../runs/run-data.js';

/** What the model reads where a result does not fit into what one run may read. The ledger has the result. */
export const oversizeOutput: ToolOutput = {
  type: 'error-text',
  value: 'The result is left out: it is too large for this run. Ask for less.',
};

/** The run has read as much as it may. No tool can say so: what tools say is framed. */
export function isOversize(calls: readonly Pick<RunCall, 'output'>[]): boolean {
  return calls.some(({ output }) => output?.value === oversizeOutput.value);
}

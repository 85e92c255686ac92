import { encodeCursor } from '@switchyard/service-kit';
import type { HistoryRepository } from './history.repository.js';
import type { RunFilter } from './run-filter.js';
import { toApprovalAnswer, toCallAnswer, toRunDetails, toStepAnswer } from './to-history-answer.js';

const weighedAtOnce = 50;
/** Of what runs were given, said and got, as the database has it. */
const bytesAtOnce = 4_000_000;

/**
 * The lines of an export, the newest run first. Runs are weighed before they are read, and read as the lines are sent, as many
 * together as are small enough: an export of any length takes the memory of a few small runs or of one large run, and no
 * transaction stays open.
 */
export async function* exportRuns(
  history: HistoryRepository,
  filterFrom: (cursor: string | undefined) => RunFilter,
): AsyncGenerator<string> {
  for (let cursor: string | undefined; ;) {
    const weights = await history.weights(filterFrom(cursor), weighedAtOnce);
    for (const runIds of inGroups(weights)) yield* linesOf(history, runIds);
    const last = weights.at(-1);
    if (weights.length < weighedAtOnce || !last) return;
    cursor = encodeCursor(last.id);
  }
}

function* inGroups(weights: readonly { id: string; bytes: number }[]): Generator<string[]> {
  let group: string[] = [];
  let groupBytes = 0;
  for (const { id, bytes } of weights) {
    if (group.length > 0 && groupBytes + bytes > bytesAtOnce) {
      yield group;
      [group, groupBytes] = [[], 0];
    }
    group.push(id);
    groupBytes += bytes;
  }
  if (group.length > 0) yield group;
}

async function* linesOf(history: HistoryRepository, runIds: readonly string[]): AsyncGenerator<string> {
  const runs = await history.wholeRuns(runIds);
  const steps = Map.groupBy(await history.steps(runIds), ({ runId }) => runId);
  const calls = Map.groupBy(await history.calls(runIds), ({ runId }) => runId);
  const approvals = Map.groupBy(await history.approvals(runIds), ({ runId }) => runId);
  for (const run of runs) {
    yield line('run', toRunDetails(run));
    for (const step of steps.get(run.id) ?? []) yield line('step', toStepAnswer(step));
    for (const call of calls.get(run.id) ?? []) yield line('call', toCallAnswer(call));
    for (const approval of approvals.get(run.id) ?? []) yield line('approval', toApprovalAnswer(approval));
  }
}

function line(record: 'run' | 'step' | 'call' | 'approval', fields: object): string {
  return `${JSON.stringify({ record, ...fields })}\n`;
}

import { encodeCursor } from '@switchyard/service-kit';
import type { HistoryRepository } from './history.repository.js';
import type { RunFilter } from './run-filter.js';
import { toApprovalAnswer, toCallAnswer, toRunDetails, toStepAnswer } from './to-history-answer.js';

const runsAtOnce = 50;

/**
 * The lines of an export, the newest run first. Read page by page as they are sent: an export of any length takes the memory of
 * one page, and no transaction stays open.
 */
export async function* exportRuns(
  history: HistoryRepository,
  filterFrom: (cursor: string | undefined) => RunFilter,
): AsyncGenerator<string> {
  for (let cursor: string | undefined; ;) {
    const page = await history.runs(filterFrom(cursor), runsAtOnce);
    yield* linesOf(history, page);
    const last = page.at(-1);
    if (page.length < runsAtOnce || !last) return;
    cursor = encodeCursor(last.id);
  }
}

async function* linesOf(
  history: HistoryRepository,
  page: Awaited<ReturnType<HistoryRepository['runs']>>,
): AsyncGenerator<string> {
  const ids = page.map(({ id }) => id);
  const steps = Map.groupBy(await history.steps(ids), ({ runId }) => runId);
  const calls = Map.groupBy(await history.calls(ids), ({ runId }) => runId);
  const approvals = Map.groupBy(await history.approvals(ids), ({ runId }) => runId);
  for (const run of page) {
    yield line('run', toRunDetails(run));
    for (const step of steps.get(run.id) ?? []) yield line('step', toStepAnswer(step));
    for (const call of calls.get(run.id) ?? []) yield line('call', toCallAnswer(call));
    for (const approval of approvals.get(run.id) ?? []) yield line('approval', toApprovalAnswer(approval));
  }
}

function line(record: 'run' | 'step' | 'call' | 'approval', fields: object): string {
  return `${JSON.stringify({ record, ...fields })}\n`;
}

import type { AdminApi } from '../harness/admin-api.js';
import type { RunCall, RunStep, RunView } from '../harness/agents-api.js';

type Line = { readonly record: string; readonly run_id: string } & Record<string, unknown>;

/** Runs with all that was of them, by the export that auditors take. */
export async function exportedRuns(
  admin: AdminApi,
  query: Record<string, string>,
): Promise<Omit<RunView, 'approvals'>[]> {
  const { status, text } = await admin.send('GET', `/api/runs/export?${new URLSearchParams(query)}`);
  if (status !== 200) throw new Error(`the export: ${status} ${text}`);
  const lines = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
  const of = <T>(record: string) =>
    Map.groupBy(lines.filter((line) => line.record === record) as (Line & T)[], ({ run_id }) => run_id);
  const [steps, calls] = [of<RunStep>('step'), of<RunCall>('call')];
  return (lines.filter(({ record }) => record === 'run') as unknown as RunView[]).map((run) => ({
    ...run,
    steps: steps.get(run.id) ?? [],
    calls: calls.get(run.id) ?? [],
  }));
}

import type { BacklogResult } from './backlog.ts';
import type { QueueBackend } from './switchyard.ts';
import type { CallResult } from './tool-calls.ts';
import type { ListResult } from './tool-lists.ts';

export type Results = {
  calls: ({ queue: QueueBackend } & CallResult)[];
  lists: ListResult[];
  backlog: BacklogResult[];
};

/** A goal, as stated for two cores with client, upstream and stores on the same machine, and what was measured. */
export type Verdict = { what: string; goal: string; measured: string; passes: boolean };

const ms = (value: number): string => `${value.toFixed(2)} ms`;

/** Every goal that the results say something of. */
export function judge({ calls, lists, backlog }: Results): Verdict[] {
  return [...calls.flatMap(judgeCalls), ...lists.flatMap(judgeList), ...backlog.map(judgeBacklog)];
}

function judgeCalls({ queue, era, medians }: Results['calls'][number]): Verdict[] {
  const where = `${queue} queue, ${era} era`;
  const limitMs = queue === 'redis' ? 3 : 10;
  const added: Verdict = {
    what: `${where}: safe tool, sequential p50 above direct`,
    goal: `<= ${limitMs} ms`,
    measured: ms(medians.added_p50_ms),
    passes: medians.added_p50_ms <= limitMs,
  };
  const redis: Verdict = {
    what: `${where}: safe calls/s with 32 in flight, as part of direct`,
    goal: '>= 0.15',
    measured: medians.ratio_c32.toFixed(3),
    passes: medians.ratio_c32 >= 0.15,
  };
  const postgres: Verdict = {
    what: `${where}: safe calls/s with 32 in flight`,
    goal: '>= 200',
    measured: medians.safe_c32_per_second.toFixed(0),
    passes: medians.safe_c32_per_second >= 200,
  };
  return [added, queue === 'redis' ? redis : postgres];
}

function judgeList({ tools, era, medians }: ListResult): Verdict[] {
  if (tools !== 5_000) return [];
  const what = `tools/list of ${tools} tools, ${era} era: p50`;
  return [
    { what, goal: '<= 30 ms', measured: ms(medians.through_p50_ms), passes: medians.through_p50_ms <= 30 },
  ];
}

function judgeBacklog({ queue, waiting, p99_ratio }: BacklogResult): Verdict {
  return {
    what: `${queue} queue: interactive p99 with ${waiting} background jobs waiting, as a multiple of idle`,
    goal: '<= 2',
    measured: p99_ratio.toFixed(2),
    passes: p99_ratio <= 2,
  };
}

import { judge, type Results } from './goals.ts';
import { table } from './table.ts';

const ms = (value: number): string => value.toFixed(2);
const whole = (value: number): string => value.toFixed(0);

/** The results as text: figures, what they cost, and the goals. */
export function renderReport(results: Results): string {
  return [
    ...(results.calls.length > 0 ? [renderCalls(results), renderCpu(results)] : []),
    ...(results.lists.length > 0 ? [renderLists(results)] : []),
    ...(results.backlog.length > 0 ? [renderBacklog(results)] : []),
    renderGoals(results),
  ].join('\n\n');
}

function renderCalls({ calls }: Results): string {
  const rows = calls.flatMap(({ queue, era, medians: m }) => [
    [
      queue,
      era,
      'direct',
      ms(m.direct_p50_ms),
      ms(m.direct_p99_ms),
      whole(m.direct_c32_per_second),
      ms(m.direct_c32_p99_ms),
      '1',
    ],
    [
      queue,
      era,
      'safe',
      ms(m.safe_p50_ms),
      ms(m.safe_p99_ms),
      whole(m.safe_c32_per_second),
      ms(m.safe_c32_p99_ms),
      m.ratio_c32.toFixed(3),
    ],
    [
      queue,
      era,
      'unsafe',
      ms(m.unsafe_p50_ms),
      ms(m.unsafe_p99_ms),
      whole(m.unsafe_c32_per_second),
      ms(m.unsafe_c32_p99_ms),
      (m.unsafe_c32_per_second / m.direct_c32_per_second).toFixed(3),
    ],
  ]);
  const head = [
    'queue',
    'era',
    'call',
    'p50 ms',
    'p99 ms',
    'calls/s, 32 in flight',
    'p99 ms, 32 in flight',
    'of direct',
  ];
  const errors = calls.reduce((sum, { pairs }) => sum + pairs.reduce((all, pair) => all + pair.errors, 0), 0);
  const others = Math.max(...calls.flatMap(({ pairs }) => pairs.map((pair) => pair.others)));
  return `${table(head, rows)}\n\nFailed calls: ${errors}. CPU time taken by others, in the worst pair: ${whole(others * 100)} %.`;
}

function renderCpu({ calls }: Results): string {
  const rows = calls.map(({ queue, era, cpu_micros_per_call: cpu }) => [
    queue,
    era,
    Object.entries(cpu)
      .map(([kind, micros]) => `${kind} ${whole(micros)}`)
      .join(', '),
  ]);
  return table(['queue', 'era', 'CPU µs per safe call, 32 in flight, by process'], rows);
}

function renderLists({ lists }: Results): string {
  const rows = lists.map(({ tools, era, medians: m }) => [
    tools,
    era,
    ms(m.direct_p50_ms),
    ms(m.direct_p99_ms),
    ms(m.through_p50_ms),
    ms(m.through_p99_ms),
  ]);
  return table(['tools listed', 'era', 'direct p50 ms', 'p99 ms', 'through p50 ms', 'p99 ms'], rows);
}

function renderBacklog({ backlog }: Results): string {
  const rows = backlog.flatMap(({ queue, accepted, accepted_per_second, waiting, idle, loaded }) => [
    [queue, 'idle', ms(idle.p50_ms), ms(idle.p99_ms), ms(idle.direct_p50_ms), ms(idle.direct_p99_ms)],
    [
      queue,
      `${waiting} waiting (${accepted} accepted, ${whole(accepted_per_second)}/s)`,
      ms(loaded.p50_ms),
      ms(loaded.p99_ms),
      ms(loaded.direct_p50_ms),
      ms(loaded.direct_p99_ms),
    ],
  ]);
  return table(['queue', 'background', 'interactive p50 ms', 'p99 ms', 'direct p50 ms', 'p99 ms'], rows);
}

function renderGoals(results: Results): string {
  const rows = judge(results).map(({ what, goal, measured, passes }) => [
    what,
    goal,
    measured,
    passes ? 'pass' : 'MISS',
  ]);
  return table(['goal', 'limit', 'measured', ''], rows);
}

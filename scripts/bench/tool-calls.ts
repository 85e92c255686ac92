import { cpuPerCall, readCpuTimes, watchOthers } from './cpu-time.ts';
import { type Load, type Measured, runLoad } from './load.ts';
import { checkText, type Endpoint, type Era, McpSession } from './mcp-session.ts';
import type { BenchOptions } from './options.ts';
import type { Registered } from './registration.ts';
import { mediansOf } from './statistics.ts';

export const inFlight = 32;
const text = 'ten bytes.';
/** Of a phase's time: the services must have compiled their hot code before anything counts. */
const warmUp = 2;

/** What is called: which server, and which of its tools. */
type Target = { endpoint: Endpoint; tool: string };

/** One loop, with latencies in milliseconds. */
type Pace = 'sequential' | 'parallel';

export type CallFigures = {
  direct_p50_ms: number;
  direct_p99_ms: number;
  safe_p50_ms: number;
  safe_p99_ms: number;
  /** Safe p50 minus direct p50 of the same pair. */
  added_p50_ms: number;
  unsafe_p50_ms: number;
  unsafe_p99_ms: number;
  direct_c32_per_second: number;
  direct_c32_p99_ms: number;
  safe_c32_per_second: number;
  safe_c32_p99_ms: number;
  /** Safe calls per second as a part of direct ones in the same pair. */
  ratio_c32: number;
  unsafe_c32_per_second: number;
  unsafe_c32_p99_ms: number;
  errors: number;
  /** The part of the machine's CPU time that others took meanwhile. */
  others: number;
};

export type CallResult = {
  era: Era;
  medians: CallFigures;
  pairs: CallFigures[];
  cpu_micros_per_call: Record<string, number>;
};

/** Direct against through Switchyard, one at a time and 32 in flight, `pairs` times in turn. */
export async function benchToolCalls(
  registered: Registered,
  era: Era,
  options: BenchOptions,
): Promise<CallResult> {
  const targets = {
    direct: { endpoint: registered.direct, tool: 'echo' },
    safe: { endpoint: registered.through, tool: `${registered.slug}_echo` },
    unsafe: { endpoint: registered.through, tool: `${registered.slug}_echo_unsafe` },
  };
  for (const target of Object.values(targets))
    await measure(target, era, loadOf('parallel', options.phaseMs * warmUp));
  const pairs: CallFigures[] = [];
  const cpu: Record<string, number>[] = [];
  for (let pair = 0; pair < options.pairs; pair++) {
    const { result, others } = await watchOthers(() => measurePair(targets, era, options.phaseMs));
    pairs.push({ ...result.figures, others });
    cpu.push(result.cpuOfSafe);
  }
  return { era, medians: mediansOf(pairs), pairs, cpu_micros_per_call: mediansOf(withAllKeys(cpu)) };
}

/** Calls that are checked, in a session that is opened for them. */
export async function measure({ endpoint, tool }: Target, era: Era, load: Load): Promise<Measured> {
  const session = await McpSession.open(endpoint, era, load.inFlight);
  try {
    return await runLoad(
      { send: () => session.callTool(tool, { text }), check: (answered) => checkText(answered, text) },
      load,
    );
  } finally {
    await session.close();
  }
}

export function loadOf(pace: Pace, maxMs: number): Load {
  return { inFlight: pace === 'parallel' ? inFlight : 1, maxMs };
}

async function measurePair(targets: Record<'direct' | 'safe' | 'unsafe', Target>, era: Era, maxMs: number) {
  const run = (name: keyof typeof targets, pace: Pace) => measure(targets[name], era, loadOf(pace, maxMs));
  const direct = await run('direct', 'sequential');
  const safe = await run('safe', 'sequential');
  const directC32 = await run('direct', 'parallel');
  const before = readCpuTimes();
  const safeC32 = await run('safe', 'parallel');
  const cpuOfSafe = cpuPerCall(before, readCpuTimes(), safeC32.calls);
  const unsafe = await run('unsafe', 'sequential');
  const unsafeC32 = await run('unsafe', 'parallel');
  const figures: Omit<CallFigures, 'others'> = {
    direct_p50_ms: direct.p50,
    direct_p99_ms: direct.p99,
    safe_p50_ms: safe.p50,
    safe_p99_ms: safe.p99,
    added_p50_ms: safe.p50 - direct.p50,
    unsafe_p50_ms: unsafe.p50,
    unsafe_p99_ms: unsafe.p99,
    direct_c32_per_second: directC32.perSecond,
    direct_c32_p99_ms: directC32.p99,
    safe_c32_per_second: safeC32.perSecond,
    safe_c32_p99_ms: safeC32.p99,
    ratio_c32: safeC32.perSecond / directC32.perSecond,
    unsafe_c32_per_second: unsafeC32.perSecond,
    unsafe_c32_p99_ms: unsafeC32.p99,
    errors: [direct, safe, directC32, safeC32, unsafe, unsafeC32].reduce(
      (sum, { errors }) => sum + errors,
      0,
    ),
  };
  return { figures, cpuOfSafe };
}

function withAllKeys(records: Record<string, number>[]): Record<string, number>[] {
  const keys = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return records.map((record) => Object.fromEntries(keys.map((key) => [key, record[key] ?? 0])));
}

import { Pool } from 'undici';
import { type Measured, runLoad } from './load.ts';
import type { BenchOptions } from './options.ts';
import type { Registered } from './registration.ts';
import { mediansOf } from './statistics.ts';
import type { QueueBackend, Switchyard } from './switchyard.ts';
import { loadOf, measure } from './tool-calls.ts';

const acceptInFlight = 64;
const acceptWithinMs = 600_000;
const dayMs = 86_400_000;
/** Some of the backlog is done while it is made and measured. */
const drainAllowance = 1.1;

export type BacklogFigures = {
  direct_p50_ms: number;
  direct_p99_ms: number;
  p50_ms: number;
  p99_ms: number;
  errors: number;
};
export type BacklogResult = {
  queue: QueueBackend;
  accepted: number;
  accepted_per_second: number;
  /** How many still waited when all was measured. */
  waiting: number;
  idle: BacklogFigures;
  loaded: BacklogFigures;
  /** Loaded p99 as a multiple of idle p99. */
  p99_ratio: number;
};

/**
 * Interactive calls, one at a time, before and while background calls of one second fill their slots and many more
 * wait. The backlog is made by the public API (`POST /api/tool-calls`, 64 at a time), ledger rows and all; making it
 * takes minutes, so idle and loaded windows cannot alternate as pairs do: direct calls between them tell how far the
 * machine itself drifted.
 */
export async function benchBacklog(
  switchyard: Switchyard,
  registered: Registered,
  options: BenchOptions,
): Promise<BacklogResult> {
  const idle = await measureWindows(registered, options);
  const accepted = await acceptBacklog(registered, Math.ceil(options.backlog * drainAllowance));
  const loaded = await measureWindows(registered, options);
  return {
    queue: switchyard.backend,
    accepted: accepted.calls,
    accepted_per_second: accepted.perSecond,
    waiting: await countWaiting(switchyard),
    idle,
    loaded,
    p99_ratio: loaded.p99_ms / idle.p99_ms,
  };
}

async function measureWindows(
  { slug, direct, through }: Registered,
  { pairs, phaseMs }: BenchOptions,
): Promise<BacklogFigures> {
  const windows: BacklogFigures[] = [];
  for (let window = 0; window < pairs; window++) {
    const load = loadOf('sequential', phaseMs);
    const reference = await measure({ endpoint: direct, tool: 'echo' }, 'legacy', load);
    const measured = await measure({ endpoint: through, tool: `${slug}_echo` }, 'legacy', load);
    windows.push({
      direct_p50_ms: reference.p50,
      direct_p99_ms: reference.p99,
      p50_ms: measured.p50,
      p99_ms: measured.p99,
      errors: reference.errors + measured.errors,
    });
  }
  return mediansOf(windows);
}

async function acceptBacklog({ slug, through }: Registered, count: number): Promise<Measured> {
  const pool = new Pool(new URL(through.url).origin, { connections: acceptInFlight });
  const headers = { authorization: `Bearer ${through.key}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ tool: `${slug}_sleep`, arguments: { text: 'later' }, deadline_ms: dayMs });
  try {
    return await runLoad(
      {
        send: async () => {
          const answer = await pool.request({ method: 'POST', path: '/api/tool-calls', headers, body });
          return { status: answer.statusCode, text: await answer.body.text() };
        },
        check: ({ status, text }) => {
          if (status !== 202) throw new Error(`a background call was answered ${status}: ${text}`);
        },
      },
      { inFlight: acceptInFlight, maxMs: acceptWithinMs, maxCalls: count },
    );
  } finally {
    await pool.close();
  }
}

async function countWaiting(switchyard: Switchyard): Promise<number> {
  const metrics = await fetch(`${switchyard.opsUrlOf('dispatch')}/metrics`);
  const waiting = /^queue_jobs\{queue="tool-calls-background",state="waiting"\} (\d+)/m.exec(
    await metrics.text(),
  );
  return Number(waiting?.[1]);
}

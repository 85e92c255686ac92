import { setTimeout as pause } from 'node:timers/promises';
import type { Service } from '../harness/dev-file.js';
import { isRunning } from '../harness/process-table.js';
import type { Switchyard } from '../harness/switchyard.js';

export type RandomKills = {
  readonly services: readonly Service[];
  /** The same seed gives the same moments and victims, as far as the machine lets it. */
  readonly seed: number;
  readonly limitMs: number;
  readonly isOver: () => boolean;
};

/** Kills a random process of the services every 300 to 1,000 ms, if it is up; gives how many of each. */
export async function killAtRandom(
  switchyard: Switchyard,
  { services, seed, limitMs, isOver }: RandomKills,
): Promise<Record<string, number>> {
  const next = randomNumbers(seed);
  const kills: Record<string, number> = {};
  const endAt = Date.now() + limitMs;
  const running = () =>
    services.flatMap((service) => switchyard.dev.pids[service].map((pid) => ({ service, pid })));
  const { length: count } = running();
  while (!isOver() && Date.now() < endAt) {
    await pause(300 + next() * 700);
    // One of all that should be there: those that live are not hit at once, and have something to lose.
    const victim = running()[Math.floor(next() * count)];
    if (!victim || !isRunning(victim.pid)) continue;
    switchyard.kill(victim.pid);
    kills[victim.service] = (kills[victim.service] ?? 0) + 1;
  }
  return kills;
}

/** The generator mulberry32: numbers from 0 to 1. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * One by one, and the process sees to everything else in between: whose schedules they are, and how many, must not be
 * felt by others.
 */
export async function* inTurns<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) {
    await nextTurn();
    yield item;
  }
}

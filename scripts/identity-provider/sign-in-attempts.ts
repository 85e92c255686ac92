/** Compares passwords, and lets nobody try many. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { SampleUser } from './settings.ts';

const mostFailures = 5;
const pauseMs = 30_000;

export type Attempt = 'accepted' | 'refused' | 'too_many';

export class SignInAttempts {
  readonly #users: SampleUser[];
  readonly #failures = new Map<string, { count: number; at: number }>();

  constructor(users: SampleUser[]) {
    this.#users = users;
  }

  try(username: string, password: string, now = Date.now()): Attempt {
    const user = this.#users.find((one) => one.username === username);
    // Strangers share one count: their names are without end.
    const key = user?.username ?? '';
    const failures = this.#failuresOf(key, now);
    if (failures >= mostFailures) return 'too_many';
    // Somebody who does not exist costs the same time.
    const isRight = isSame(password, user?.password ?? '') && user !== undefined;
    this.#failures.set(key, { count: isRight ? 0 : failures + 1, at: now });
    return isRight ? 'accepted' : 'refused';
  }

  #failuresOf(key: string, now: number): number {
    const { count, at } = this.#failures.get(key) ?? { count: 0, at: 0 };
    return now - at < pauseMs ? count : 0;
  }
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

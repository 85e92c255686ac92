import type { LeaseGrant } from './lease-ask.js';

/** A token that was exchanged, for as long as it may be leased. */
export type ExchangedToken = {
  readonly accessToken: string;
  /** Epoch ms; null: the vendor does not say. */
  readonly expiresAt: number | null;
  /** The lease's tag. */
  readonly credential: LeaseGrant['credential'];
  readonly principal: LeaseGrant['principal'];
};

const mostKept = 5_000;
const marginMs = 60_000;
const unknownLifeMs = 60_000;

/** Exchanged tokens in this process's memory, each under all the facts that decided it. */
export class ExchangedTokens {
  readonly #kept = new Map<string, { token: ExchangedToken; until: number }>();

  get(name: string, now: number): ExchangedToken | null {
    const kept = this.#kept.get(name);
    if (kept && kept.until > now) return kept.token;
    this.#kept.delete(name);
    return null;
  }

  /** Until a minute before it expires, and never longer than the subject's own token. */
  put(name: string, token: ExchangedToken, limits: { now: number; subjectExpiresAt: number }): void {
    const own = token.expiresAt === null ? limits.now + unknownLifeMs : token.expiresAt - marginMs;
    const until = Math.min(own, limits.subjectExpiresAt);
    if (until <= limits.now) return;
    const [oldest] = this.#kept.size >= mostKept ? this.#kept.keys() : [];
    if (oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(name, { token, until });
  }

  /** After a 401: the token of that lease is not handed out again. */
  drop(name: string, credential: string): void {
    if (this.#kept.get(name)?.token.credential === credential) this.#kept.delete(name);
  }
}

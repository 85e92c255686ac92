import { LruMap } from '@switchyard/service-kit';
import { z } from 'zod';
import { TokenCipher } from './token-cipher.js';

/** What a legacy client and we agreed on at `initialize`. */
export type Session = {
  /** Unique among sessions. */
  readonly id: string;
  readonly principalId: string;
  readonly protocolVersion: string;
  readonly clientCapabilities: Record<string, unknown>;
  /** Epoch milliseconds. */
  readonly issuedAt: number;
};

const Sealed = z.strictObject({
  p: z.string(),
  v: z.string(),
  c: z.record(z.string(), z.unknown()),
  t: z.number().int(),
});

const maxTokenLength = 4096;
const maxAgeMs = 30 * 24 * 3_600_000;
/** Sessions whose token was opened lately; to open one costs more than all other checks of a request. */
const keptOpen = 2_000;

/**
 * Makes and opens the values of `Mcp-Session-Id`: the session itself, encrypted and authenticated (AES-256-GCM), so
 * that every replica can serve every request of it and none has to remember it.
 */
export class SessionTokens {
  readonly #cipher: TokenCipher;
  readonly #opened = new LruMap<string, Session>(keptOpen);

  constructor(sealKey: string) {
    this.#cipher = new TokenCipher(sealKey, 'mcp-session', maxTokenLength);
  }

  issue(session: Omit<Session, 'id' | 'issuedAt'>, now = Date.now()): string {
    const content: z.input<typeof Sealed> = {
      p: session.principalId,
      v: session.protocolVersion,
      c: shortened(session.clientCapabilities),
      t: now,
    };
    return this.#cipher.seal(content);
  }

  /** The session, if the token is one of ours, of this principal, and not too old. */
  open(token: string, principalId: string, now = Date.now()): Session | undefined {
    const session = this.#opened.get(token) ?? this.#unseal(token);
    if (!session || session.principalId !== principalId || now - session.issuedAt > maxAgeMs)
      return undefined;
    return session;
  }

  #unseal(token: string): Session | undefined {
    const { success, data: content } = Sealed.safeParse(this.#cipher.open(token));
    if (!success) return undefined;
    const session = {
      id: token.slice(0, 20),
      principalId: content.p,
      protocolVersion: content.v,
      clientCapabilities: content.c,
      issuedAt: content.t,
    };
    this.#opened.set(token, session);
    return session;
  }
}

const keptCapabilities = ['elicitation', 'sampling', 'roots'] as const;

/** Only what a server may ask a client for: the token travels in a header. */
function shortened(capabilities: Record<string, unknown>): Record<string, unknown> {
  const kept = keptCapabilities.filter((name) => isObject(capabilities[name]));
  return Object.fromEntries(kept.map((name) => [name, flags(capabilities[name] as object)]));
}

/** The first level of a capability, as clients declare `elicitation: { form: {}, url: {} }`. */
function flags(capability: object): Record<string, unknown> {
  const known = ['form', 'url', 'tools', 'context', 'listChanged'];
  return Object.fromEntries(
    Object.entries(capability)
      .filter(([name]) => known.includes(name))
      .map(([name, value]) => [name, isObject(value) ? {} : value === true]),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { createHash } from 'node:crypto';
import { CallResume } from '@switchyard/contracts';
import { canonicalJson } from '@switchyard/queue';
import { z } from 'zod';
import { TokenCipher } from './token-cipher.js';

const maxLength = 131_072;
const lifetimeMs = 3_600_000;

/** What a `requestState` stands for; the client's retry brings it back. */
const Content = z.discriminatedUnion('kind', [
  /** An upstream's own state. */
  z.strictObject({ kind: z.literal('upstream'), integrationId: z.uuid(), state: z.string() }),
  /** The upstream's request is still open, and waits for answers to these questions. */
  z.strictObject({
    kind: z.literal('questions'),
    integrationId: z.uuid(),
    callId: z.uuid(),
    deadlineAt: z.number().int(),
    isKept: z.boolean(),
    questionIds: z.array(z.uuid()),
  }),
  /** A page was to be opened. After that the call is made once more, as it was. */
  z.strictObject({
    kind: z.literal('page'),
    integrationId: z.uuid(),
    resume: CallResume.optional(),
  }),
  /** The user was to say whether their call may run. */
  z.strictObject({
    kind: z.literal('approval'),
    integrationId: z.uuid(),
    callId: z.uuid(),
    expiresAt: z.number().int(),
    argumentsSha256: z.string(),
  }),
]);
export type RequestState = z.infer<typeof Content>;

const Sealed = z.strictObject({ b: z.string(), x: z.number().int(), c: Content });

/** What a state is good for: the same request, by the same caller. */
export type StateBinding = {
  /** Principal, and the toolset at whose address it came. */
  readonly owner: string;
  readonly method: string;
  readonly name: string;
  readonly arguments: Record<string, unknown>;
};

/** Why a state is not taken. */
export type BadState = { readonly bad: 'forged' | 'expired' | 'another_request' };

/**
 * The `requestState` of 2026-07-28: it passes through the hands of clients, so it is encrypted, authenticated, and bound to
 * caller, method, name and arguments, for an hour. What an upstream gave travels inside and is never shown.
 */
export class RequestStates {
  readonly #cipher: TokenCipher;

  constructor(sealKey: string) {
    this.#cipher = new TokenCipher(sealKey, 'mcp-request-state', maxLength);
  }

  seal(content: RequestState, binding: StateBinding, now = Date.now()): string {
    const sealed: z.input<typeof Sealed> = { b: digestOf(binding), x: now + lifetimeMs, c: content };
    return this.#cipher.seal(sealed);
  }

  open(state: string, binding: StateBinding, now = Date.now()): RequestState | BadState {
    const { success, data } = Sealed.safeParse(this.#cipher.open(state));
    if (!success) return { bad: 'forged' };
    if (data.b !== digestOf(binding)) return { bad: 'another_request' };
    return data.x < now ? { bad: 'expired' } : data.c;
  }
}

function digestOf({ owner, method, name, arguments: args }: StateBinding): string {
  return createHash('sha256')
    .update(canonicalJson([owner, method, name, args]))
    .digest('base64url');
}

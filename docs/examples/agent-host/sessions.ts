import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Tokens } from './sign-in.ts';

/** Somebody who is signed in. Their tokens never leave this process but for Switchyard. */
export type Session = {
  readonly id: string;
  tokens: Tokens;
  readonly messages: object[];
  readonly endsAt: number;
};

const cookieName = 'agent_host';
const lifetimeMs = 8 * 3_600_000;
const mostSessions = 10_000;

/** Sessions in memory, found by a cookie. A host of several processes would keep them in a store, encrypted. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  /** Remembers who signed in, and gives the cookie that finds them. */
  begin(tokens: Tokens): Omit<Cookie, 'isSecure'> {
    const id = randomBytes(32).toString('base64url');
    this.#sessions.set(id, { id, tokens, messages: [], endsAt: Date.now() + lifetimeMs });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > mostSessions && oldest !== undefined) this.#sessions.delete(oldest);
    return { name: cookieName, value: id, maxAgeSeconds: lifetimeMs / 1_000 };
  }

  of(request: IncomingMessage): Session | undefined {
    const session = this.#sessions.get(readCookie(request, cookieName) ?? '');
    return session && session.endsAt > Date.now() ? session : undefined;
  }

  has({ id }: Session): boolean {
    return this.#sessions.has(id);
  }

  end({ id }: Session): void {
    this.#sessions.delete(id);
  }
}

type Cookie = { name: string; value: string; maxAgeSeconds: number; isSecure: boolean };

/** Out of reach of scripts, and sent along only with requests that begin at our own pages or by a link. */
export function setCookie(response: ServerResponse, { name, value, maxAgeSeconds, isSecure }: Cookie): void {
  const secure = isSecure ? '; Secure' : '';
  response.appendHeader(
    'set-cookie',
    `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure}`,
  );
}

export function readCookie(request: IncomingMessage, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { reply } from './assistant.ts';
import type { Config } from './config.ts';
import { page, script, style } from './page.ts';
import { passEvents } from './pass-events.ts';
import { readCookie, type Session, Sessions, setCookie } from './sessions.ts';
import { SignIn, SignInOver } from './sign-in.ts';
import { Switchyard } from './switchyard.ts';

const beginCookie = 'agent_host_begin';
const beginSeconds = 600;
const longestBody = 65_536;

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly url: URL };
type Route = (exchange: Exchange) => Promise<void> | void;

/** A small chat backend: signs users in, and calls Switchyard's BFF API as them. The browser never sees a token. */
export class AgentHost {
  readonly server: Server;
  readonly #config: Config;
  readonly #signIn: SignIn;
  readonly #sessions = new Sessions();
  readonly #routes: Readonly<Record<string, Route>> = {
    'GET /': ({ response }) => send(response, 'text/html', page),
    'GET /app.js': ({ response }) => send(response, 'text/javascript', script),
    'GET /style.css': ({ response }) => send(response, 'text/css', style),
    'GET /me': (exchange) => this.#me(exchange),
    'GET /login': (exchange) => this.#login(exchange),
    'GET /callback': (exchange) => this.#callback(exchange),
    'GET /events': (exchange) => this.#events(exchange),
    'POST /chat': (exchange) => this.#chat(exchange),
    'POST /logout': (exchange) => this.#logout(exchange),
  };

  constructor(config: Config) {
    this.#config = config;
    this.#signIn = new SignIn(config);
    this.server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Where browsers reach it, once it listens. */
  get origin(): string {
    const address = this.server.address();
    const port = typeof address === 'object' && address ? address.port : this.#config.port;
    return this.#config.publicUrl ?? `http://127.0.0.1:${port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', this.origin);
      const route = this.#routes[`${request.method} ${url.pathname}`];
      if (!route) return sendJson(response, 404, { error: 'There is no such page.' });
      // A page of somebody else must not act as our user.
      const from = request.headers.origin;
      if (request.method === 'POST' && from !== undefined && from !== this.origin)
        return sendJson(response, 403, { error: 'The request comes from another page.' });
      await route({ request, response, url });
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const status = error instanceof SignInOver ? 401 : 502;
      sendJson(response, status, { error: error instanceof Error ? error.message : 'Something went wrong.' });
    }
  }

  #me({ request, response }: Exchange): void {
    sendJson(response, 200, { user: this.#sessions.of(request)?.tokens.user ?? null });
  }

  async #login({ response }: Exchange): Promise<void> {
    const { url, key } = await this.#signIn.begin(this.#callbackUrl);
    this.#setCookie(response, { name: beginCookie, value: key, maxAgeSeconds: beginSeconds });
    redirect(response, url.href);
  }

  /** The browser that began the sign-in is the one that finishes it: else nobody is signed in. */
  async #callback({ request, response, url }: Exchange): Promise<void> {
    const tokens = await this.#signIn.complete(readCookie(request, beginCookie), url, this.#callbackUrl);
    this.#setCookie(response, { name: beginCookie, value: '', maxAgeSeconds: 0 });
    this.#setCookie(response, this.#sessions.begin(tokens));
    redirect(response, '/');
  }

  async #events({ request, response }: Exchange): Promise<void> {
    const session = this.#sessions.of(request);
    if (!session) return sendJson(response, 401, { error: 'Sign in first.' });
    await passEvents(this.#switchyardOf(session), response, () => this.#sessions.has(session));
  }

  async #chat({ request, response }: Exchange): Promise<void> {
    const session = this.#sessions.of(request);
    if (!session) return sendJson(response, 401, { error: 'Sign in first.' });
    const { text } = (await readJson(request)) as { text?: unknown };
    if (typeof text !== 'string') return sendJson(response, 400, { error: 'text is missing.' });
    const { messages } = session;
    sendJson(response, 200, await reply(this.#config.model, this.#switchyardOf(session), { messages, text }));
  }

  async #logout({ request, response }: Exchange): Promise<void> {
    const session = this.#sessions.of(request);
    if (session) {
      this.#sessions.end(session);
      await this.#signIn.end(session.tokens).catch(() => undefined);
    }
    sendJson(response, 200, {});
  }

  get #callbackUrl(): string {
    return new URL('/callback', this.origin).href;
  }

  #setCookie(response: ServerResponse, cookie: { name: string; value: string; maxAgeSeconds: number }): void {
    setCookie(response, { ...cookie, isSecure: this.origin.startsWith('https:') });
  }

  #switchyardOf(session: Session): Switchyard {
    return new Switchyard(this.#config.switchyardUrl, async () => {
      try {
        session.tokens = await this.#signIn.fresh(session.tokens);
      } catch (error) {
        if (error instanceof SignInOver) this.#sessions.end(session);
        throw error;
      }
      return session.tokens.accessToken;
    });
  }
}

function send(response: ServerResponse, type: string, body: string): void {
  response
    .writeHead(200, {
      'content-type': `${type}; charset=utf-8`,
      'content-security-policy': "default-src 'self'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
    })
    .end(body);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'cache-control': 'no-store' }).end();
}

async function readJson(request: IncomingMessage): Promise<object> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > longestBody) throw new Error('The message is too long.');
  }
  return JSON.parse(text || '{}') as object;
}

/** A tool as a model provider takes it. */
export type Tool = {
  readonly type: 'function';
  readonly function: { readonly name: string; readonly description: string; readonly parameters: object };
};

export type CallError = {
  readonly code: string;
  readonly message: string;
  readonly next: string;
  readonly details?: { readonly reauth_url?: string; readonly integration?: string };
};

/** The answer to a call, as `POST /api/bff/tools/call` gives it; `error` alone where there was no call at all. */
export type CallAnswer = {
  readonly status: 'completed' | 'failed' | 'pending';
  readonly call_id?: string;
  readonly result: {
    readonly content?: readonly { type: string; text?: string }[];
    isError?: boolean;
  } | null;
  readonly error: CallError | null;
};

const pollMs = 1_000;

/** Switchyard's BFF API, as one user: every request carries their token. */
export class Switchyard {
  readonly #url: string;
  readonly #token: () => Promise<string>;

  constructor(url: string, token: () => Promise<string>) {
    this.#url = url;
    this.#token = token;
  }

  /** What this user may use now. */
  async tools(): Promise<Tool[]> {
    const answer = await this.#send('GET', '/api/bff/tools?format=openai');
    const body = (await answer.json()) as { tools: Tool[] } & Problem;
    if (!answer.ok) throw new Error(`Switchyard: ${body.detail}`);
    return body.tools;
  }

  /** Calls a tool as the user, and waits until it has ended, however long it takes. */
  async call(name: string, args: unknown): Promise<CallAnswer> {
    const answer = await this.#send('POST', '/api/bff/tools/call', { name, arguments: args });
    let call = await answerOf(answer);
    while (call.status === 'pending') {
      await new Promise((resume) => setTimeout(resume, pollMs));
      call = await answerOf(await this.#send('GET', `/api/bff/calls/${call.call_id}`));
    }
    return call;
  }

  /** The stream of tool updates, to be handed on as it comes. */
  events(signal: AbortSignal): Promise<Response> {
    return this.#send('GET', '/api/bff/sse?format=openai', undefined, signal);
  }

  async #send(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Response> {
    return fetch(new URL(path, this.#url), {
      ...{ method, signal },
      headers: {
        authorization: `Bearer ${await this.#token()}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  }
}

type Problem = CallError & { readonly detail: string };

/** What is refused before it is a call comes as a problem document (RFC 9457). */
async function answerOf(response: Response): Promise<CallAnswer> {
  const body = (await response.json()) as CallAnswer | Problem;
  if ('status' in body && typeof body.status === 'string') return body;
  const { code, detail, next, details } = body as Problem;
  return { status: 'failed', result: null, error: { code, message: detail, next, details } };
}

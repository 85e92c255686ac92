/** The public HTTP surface, as any user of it sees it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(method: string, path: string, status: number, body: { code?: string; detail?: string }) {
    super(`${method} ${path} answered ${status} ${body.code ?? ''}: ${body.detail ?? ''}`);
    this.status = status;
    this.code = body.code ?? '';
  }
}

export type Api = <T>(method: string, path: string, body?: unknown) => Promise<T>;

/** Calls with one key. Throws `ApiError` on a status of 400 and above. */
export function apiClient(baseUrl: string, key: string): Api {
  return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await fetch(`${baseUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const json = (await answer.json().catch(() => ({}))) as T;
    if (answer.status >= 400)
      throw new ApiError(method, path, answer.status, json as { code?: string; detail?: string });
    return json;
  };
}

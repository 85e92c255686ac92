/** Headers that carry a bare virtual key. */
const keyHeaders = ['x-api-key', 'x-bf-virtual-key', 'x-bf-vk'] as const;
const bearer = /^Bearer[ ]+(\S+)$/i;
/** RFC 7519: three parts, the first of which is a JSON object. No virtual key holds a dot. */
const jwt = /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/;

/** All values of each header, repeated ones included (`IncomingMessage.headersDistinct`). */
export type DistinctHeaders = NodeJS.Dict<string[]>;

export type PresentedCredential =
  | { readonly kind: 'none' }
  | { readonly kind: 'virtual_key'; readonly key: string }
  /** What looks like a JWT is judged as one and as nothing else. */
  | { readonly kind: 'user_token'; readonly jwt: string }
  /** Something that is no credential of ours, a Basic header for instance. It never counts as none. */
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'conflict' };

/** What credential a request presents, over all headers that can carry one. The same one twice is one. */
export function presentedCredential(headers: DistinctHeaders): PresentedCredential {
  const authorization = (headers['authorization'] ?? []).map(
    (value) => bearer.exec(value.trim())?.[1] ?? null,
  );
  const keys = keyHeaders.flatMap((name) => headers[name] ?? []).map((value) => value.trim() || null);
  const [first, ...others] = new Set([...authorization, ...keys]);
  if (first === undefined) return { kind: 'none' };
  if (others.length > 0) return { kind: 'conflict' };
  if (first === null) return { kind: 'unreadable' };
  return jwt.test(first) ? { kind: 'user_token', jwt: first } : { kind: 'virtual_key', key: first };
}

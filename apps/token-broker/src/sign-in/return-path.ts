/** Where somebody goes after signing in if nobody says where. */
export const signedInPath = '/sign-in';

const longest = 2_048;

/**
 * A path on our own origin, and nothing else (RFC 9700, section 4.11: no open redirectors). Browsers take `//host` and
 * `/\host` for another host, and drop tabs and line breaks before they look.
 */
export function returnPath(text: unknown): string {
  if (typeof text !== 'string' || text.length > longest) return signedInPath;
  const isPath = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text) && !/^\/(%2f|%5c|%09|%0a|%0d)/i.test(text);
  if (!isPath) return signedInPath;
  const base = 'https://own.invalid';
  const url = URL.canParse(text, base) ? new URL(text, base) : null;
  return url?.origin === base && !url.pathname.startsWith('//')
    ? `${url.pathname}${url.search}`
    : signedInPath;
}

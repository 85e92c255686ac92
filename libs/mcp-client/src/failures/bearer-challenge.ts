/** What a `WWW-Authenticate` header asks for (RFC 6750, section 3; RFC 9728, section 5.1). */
export type BearerChallenge = {
  error: string | null;
  /** null: no scope is named. */
  scopes: string[] | null;
  /** Where the protected resource metadata are. */
  resourceMetadata: string | null;
};

const MAX_HEADER = 8_192;
const MAX_SCOPES = 64;
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;

/** Reads the challenge of the scheme Bearer, wherever it stands among others. null: there is none. Pure. */
export function bearerChallenge(header: string | null | undefined): BearerChallenge | null {
  const text = header?.slice(0, MAX_HEADER) ?? '';
  const start = text.search(/(?:^|[\s,])bearer(?:\s|,|$)/i);
  if (start < 0) return null;
  const params = new Map<string, string>();
  for (const [, name = '', quoted, plain] of text
    .slice(start)
    .matchAll(/([a-z_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi)) {
    const key = name.toLowerCase();
    if (!params.has(key)) params.set(key, quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
  }
  return {
    error: params.get('error') ?? null,
    scopes: scopesOf(params.get('scope')),
    resourceMetadata: params.get('resource_metadata') || null,
  };
}

/** The tokens of a `scope` value, each once; those that are none are left out. null: nothing is left. */
export function scopesOf(value: unknown): string[] | null {
  if (typeof value !== 'string') return null;
  const scopes = [...new Set(value.split(/\s+/).filter((one) => SCOPE.test(one)))].slice(0, MAX_SCOPES);
  return scopes.length > 0 ? scopes : null;
}

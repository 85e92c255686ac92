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
  const text = (header ?? '').slice(0, MAX_HEADER);
  const start = text.search(/(?:^|[\s,])bearer(?:\s|,|$)/i);
  if (start < 0) return null;
  const params = parametersOf(text.slice(start));
  return {
    error: params.get('error') ?? null,
    scopes: scopesOf(params.get('scope')),
    resourceMetadata: params.get('resource_metadata') || null,
  };
}

/**
 * The challenge less whatever else a server may have put there: where its metadata are, and its scopes. Made for
 * `discoverVendor`, and harmless in an error. null: neither is named.
 */
export function publicChallenge(header: string | null | undefined): string | null {
  const { resourceMetadata, scopes } = bearerChallenge(header) ?? {};
  const url = resourceMetadata && isPublicUrl(resourceMetadata) ? resourceMetadata : null;
  const params = [url && `resource_metadata="${url}"`, scopes && `scope="${scopes.join(' ')}"`].filter(
    Boolean,
  );
  return params.length > 0 ? `Bearer ${params.join(', ')}` : null;
}

function isPublicUrl(text: string): boolean {
  if (!/^https?:\/\/[\x21\x23-\x5b\x5d-\x7e]{1,1024}$/i.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return !username && !password;
}

/** `name=value` and `name="value"`; of two with one name the first. A name is tried from its beginning only. */
function parametersOf(text: string): Map<string, string> {
  const found = text.matchAll(/(?<![a-z_-])([a-z_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi);
  const pairs = [...found].map(([, name = '', quoted, plain = '']): [string, string] => [
    name.toLowerCase(),
    quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'),
  ]);
  return new Map(pairs.reverse());
}

/** The tokens of a `scope` value, each once; those that are none are left out. null: nothing is left. */
export function scopesOf(value: unknown): string[] | null {
  if (typeof value !== 'string') return null;
  const scopes = [...new Set(value.split(/\s+/).filter((one) => SCOPE.test(one)))].slice(0, MAX_SCOPES);
  return scopes.length > 0 ? scopes : null;
}

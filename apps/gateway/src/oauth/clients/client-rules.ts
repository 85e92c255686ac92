import { errors } from 'oidc-provider';

const loopbackHosts = new Set(['127.0.0.1', 'localhost', '[::1]']);
const mostRedirects = 20;
const longest = 2_048;

/** Of OpenID Connect, and of scopes: with them each request of the client would be refused. */
const unused = ['scope', 'default_max_age', 'require_auth_time', 'default_acr_values'];

/** What a client says of itself (RFC 7591), before oidc-provider judges it. */
export type ClientMetadata = Record<string, unknown>;

/**
 * Rules of ours for clients that anybody may register: where codes may go, and names that cannot pass for somebody
 * else's text. Also makes of `application_type` what the redirect URIs mean, for most clients do not send it. Throws
 * `invalid_redirect_uri` or `invalid_client_metadata`.
 */
export function applyClientRules(metadata: ClientMetadata): void {
  const uris: unknown[] = Array.isArray(metadata.redirect_uris) ? metadata.redirect_uris : [];
  if (uris.length > mostRedirects) throw new errors.InvalidClientMetadata('too many redirect_uris');
  const kinds = uris.map(redirectKind);
  const bad = kinds.indexOf(null);
  if (bad >= 0)
    throw new errors.InvalidRedirectUri(
      'redirect_uris must be https, http on a loopback address, or of a private-use scheme with a dot',
    );
  if (kinds.some((kind) => kind !== 'web')) metadata.application_type = 'native';
  metadata.application_type ??= 'web';
  // Editors list whatever they could do, and there is one scope; RFC 7591 lets us register less than was asked for.
  keepKnown(metadata, 'grant_types', ['authorization_code', 'refresh_token']);
  keepKnown(metadata, 'response_types', ['code']);
  for (const name of unused) delete metadata[name];
  for (const name of ['client_name', 'client_uri', 'logo_uri', 'tos_uri', 'policy_uri', 'software_id'])
    assertShowable(metadata, name);
}

/** Null: no code is sent there. */
export function redirectKind(uri: unknown): 'web' | 'loopback' | 'private' | null {
  if (typeof uri !== 'string' || uri.length > longest || !isPlain(uri)) return null;
  const { protocol, hostname } = new URL(uri);
  const isLoopback = loopbackHosts.has(hostname);
  if (protocol === 'https:') return isLoopback ? null : 'web';
  if (protocol === 'http:') return isLoopback ? 'loopback' : null;
  return privateUse.test(protocol) || editors.has(protocol) ? 'private' : null;
}

/** Printable ASCII without what browsers and servers read in several ways. */
function isPlain(uri: string): boolean {
  if (!/^[\x21-\x7e]+$/.test(uri) || /[*\\#]/.test(uri) || !URL.canParse(uri)) return false;
  const { username, password, hostname } = new URL(uri);
  // The host goes into a header of the consent page.
  return username === '' && password === '' && /^([\w.-]*|\[[\da-f:]+\])$/i.test(hostname);
}

/** RFC 8252, section 7.1: a domain name in reverse, which others do not claim by chance. */
const privateUse = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;
/** Editors that came before anybody told them of dots. */
const editors = new Set(['cursor:', 'vscode:', 'vscode-insiders:', 'windsurf:', 'zed:']);

function keepKnown(metadata: ClientMetadata, name: string, known: readonly string[]): void {
  const given = metadata[name];
  if (Array.isArray(given)) metadata[name] = given.filter((one) => known.includes(one as string));
}

function assertShowable(metadata: ClientMetadata, name: string): void {
  const value = metadata[name];
  if (value === undefined) return;
  const isText = typeof value === 'string' && value.length <= (name === 'client_name' ? 100 : longest);
  if (!isText || !value.isWellFormed() || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value))
    throw new errors.InvalidClientMetadata(`${name} is not a short text`);
}

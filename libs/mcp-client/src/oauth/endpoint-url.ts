import { vendorRefused } from './vendor-error.js';

/**
 * A URL that a vendor's metadata name. https alone; plain http only if the issuer itself is http, which the egress policy
 * admits on a developer's machine. Throws for everything else that a browser or a client could be misled by: other
 * schemes, credentials, fragments, and characters that URL parsers drop in silence.
 */
export function endpointUrl(text: unknown, issuer: string): string {
  const url = typeof text === 'string' && isPlain(text) ? new URL(text) : undefined;
  const schemes = issuer.startsWith('http:') ? ['https:', 'http:'] : ['https:'];
  if (!url || !schemes.includes(url.protocol) || url.username || url.password)
    throw vendorRefused('url_refused');
  return url.href;
}

/** Begins as a URL that names its host does (`https:evil.example` parses as one too), and holds what it shows. */
function isPlain(text: string): boolean {
  return text.length <= 2_048 && /^https?:\/\/[^/\\#][\x21\x22\x24-\x7e]*$/i.test(text) && URL.canParse(text);
}

/** The same for one that may be absent. */
export function optionalEndpointUrl(text: unknown, issuer: string): string | null {
  return text === undefined || text === null ? null : endpointUrl(text, issuer);
}

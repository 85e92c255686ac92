import { vendorRefused } from './vendor-error.js';

/**
 * A URL that a vendor's metadata name. https alone; plain http only if the issuer itself is http, which the egress policy
 * admits on a developer's machine. Throws for everything else that a browser or a client could be misled by: other
 * schemes, credentials, fragments, and characters that URL parsers drop in silence.
 */
export function endpointUrl(text: unknown, issuer: string): string {
  if (typeof text !== 'string' || text.length > 2_048 || !/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text))
    throw vendorRefused('url_refused');
  const url = new URL(text);
  const schemes = issuer.startsWith('http:') ? ['https:', 'http:'] : ['https:'];
  // The text must begin as a URL that names its host does: `https:evil.example` parses as one too.
  const isPlain = schemes.includes(url.protocol) && /^https?:\/\/[^/\\]/i.test(text);
  if (!isPlain || url.username || url.password || url.hash || text.includes('#'))
    throw vendorRefused('url_refused');
  return url.href;
}

/** The same for one that may be absent. */
export function optionalEndpointUrl(text: unknown, issuer: string): string | null {
  return text === undefined || text === null ? null : endpointUrl(text, issuer);
}

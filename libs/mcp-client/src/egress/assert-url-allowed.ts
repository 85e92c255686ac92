import { PlatformError } from '@switchyard/contracts';
import { classifyAddress, isAddress, type AddressKind } from './address-rules.js';

/** `allowPrivate`: the development setting, which admits loopback and private addresses, and plain http to them. */
export type EgressRules = { readonly allowPrivate: boolean };

/** A refusal of the policy. The reason names no address, so that it can be shown to whoever registered the URL. */
export function egressDenied(reason: string): PlatformError {
  return new PlatformError('egress_denied', { message: reason, details: { reason } });
}

/** Refuses what can be judged by the URL alone; names are judged when they are resolved. Throws `egress_denied`. */
export function assertUrlAllowed(url: URL, rules: EgressRules): void {
  const protocols = rules.allowPrivate ? ['https:', 'http:'] : ['https:'];
  if (!protocols.includes(url.protocol)) throw egressDenied('only https URLs are allowed');
  if (url.username || url.password) throw egressDenied('credentials in the URL are not allowed');
  if (isAddress(url.hostname)) assertAddressAllowed(url.hostname, url.protocol, rules);
  else assertNameAllowed(url.hostname, rules);
}

function assertNameAllowed(host: string, rules: EgressRules): void {
  if (host.endsWith('.')) throw egressDenied('a host name with a trailing dot is not allowed');
  if (!rules.allowPrivate && isLocalName(host)) throw egressDenied('local host names are not allowed');
}

/** Refuses an address that a name resolved to, or that stands in the URL. Throws `egress_denied`. */
export function assertAddressAllowed(address: string, protocol: string, rules: EgressRules): void {
  const kind: AddressKind = classifyAddress(address);
  if (kind === 'denied') throw egressDenied('the address is in a reserved range');
  if (kind === 'private' && !rules.allowPrivate)
    throw egressDenied('private and loopback addresses are not allowed');
  // Plain http is for a developer's own machine and network: credentials must not cross the internet in clear.
  if (kind === 'public' && protocol === 'http:') throw egressDenied('only https URLs are allowed');
}

/** Parses a URL as it was written. `http://2130706433/` and `http://0x7f.1/` are refused: they only serve to hide. */
export function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw egressDenied('the URL is not valid');
  const url = new URL(text);
  const written = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^:/?#]*)/i
    .exec(text.trim())?.[1]
    ?.toLowerCase();
  if (isAddress(url.hostname) && !url.hostname.startsWith('[') && written !== url.hostname) {
    throw egressDenied('the address is not in its usual form');
  }
  return url;
}

function isLocalName(host: string): boolean {
  return host === 'localhost' || /\.(localhost|local|internal|home\.arpa)$/.test(host);
}

import ipaddr from 'ipaddr.js';

/** `public` may always be reached, `private` (and loopback) only by the development setting, `denied` never. */
export type AddressKind = 'public' | 'private' | 'denied';

const PRIVATE_RANGES = new Set(['loopback', 'private', 'uniqueLocal']);
const GLOBAL_UNICAST_V6 = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];

/**
 * Sorts an IP address. Whatever is not plain unicast is denied, the development setting notwithstanding:
 * link-local (cloud metadata), CGNAT, 6to4, NAT64, Teredo, mapped, site-local, multicast, reserved.
 */
export function classifyAddress(address: string): AddressKind {
  const text = address.replace(/^\[|\]$/g, '');
  // A scope id (`fe80::1%eth0`) exists on link-local addresses only.
  if (text.includes('%') || !ipaddr.isValid(text)) return 'denied';
  const ip = ipaddr.parse(text);
  const range = ip.range();
  if (PRIVATE_RANGES.has(range)) return 'private';
  if (range !== 'unicast') return 'denied';
  // IPv6 outside 2000::/3 is nobody's: IPv4-compatible `::a.b.c.d` and ranges that were never given out.
  if (ip.kind() === 'ipv6' && !ip.match(GLOBAL_UNICAST_V6)) return 'denied';
  return 'public';
}

/** Whether the host part of a URL is an IP literal. */
export function isAddress(host: string): boolean {
  return ipaddr.isValid(host.replace(/^\[|\]$/g, ''));
}

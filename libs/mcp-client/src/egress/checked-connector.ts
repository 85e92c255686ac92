import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { assertAddressAllowed, egressDenied, type EgressRules } from './assert-url-allowed.js';

/** Resolves a name to all its addresses, as `dns.lookup` with `all` does. Tests put a rebinding resolver here. */
export type Resolver = (
  host: string,
  done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/** The machine's own resolver. */
export const systemResolver: Resolver = (host, done) => {
  systemLookup(host, { all: true }, (error, addresses) => done(error, addresses ?? []));
};

/**
 * Connects only to addresses that the policy allows. The very addresses that were checked are the ones connected to,
 * so a name that resolves to something else a moment later (DNS rebinding) gains nothing.
 */
export function checkedConnector(
  rules: EgressRules,
  options: { timeoutMs: number; resolve: Resolver },
): buildConnector.connector {
  const connectors = {
    'https:': connectorFor('https:', rules, options),
    'http:': connectorFor('http:', rules, options),
  };
  return (target, callback) => {
    const protocol = target.protocol === 'https:' ? 'https:' : 'http:';
    // Node asks no resolver for an IP literal.
    const refused = isIP(target.hostname.replace(/^\[|\]$/g, ''))
      ? refusal(target.hostname, protocol, rules)
      : null;
    if (refused) return callback(refused, null);
    connectors[protocol](target, (error, socket) => {
      if (error || !socket) return callback(error ?? new Error('no socket'), null);
      // Belt and braces: whatever way led here, the peer itself is judged before a byte is written.
      const peer = socket.remoteAddress
        ? refusal(socket.remoteAddress.replace(/^::ffff:(?=\d+\.)/i, ''), protocol, rules)
        : null;
      if (!peer) return callback(null, socket);
      socket.destroy();
      callback(peer, null);
    });
  };
}

function connectorFor(
  protocol: string,
  rules: EgressRules,
  options: { timeoutMs: number; resolve: Resolver },
) {
  return buildConnector({
    timeout: options.timeoutMs,
    allowH2: false,
    lookup: checkedLookup(protocol, rules, options.resolve),
  } as buildConnector.BuildOptions);
}

function checkedLookup(protocol: string, rules: EgressRules, resolve: Resolver): LookupFunction {
  return (host, lookupOptions, done) => {
    resolve(host, (error, addresses) => {
      const failure = error ?? refusalOfAny(addresses, protocol, rules);
      if (failure) return done(failure, lookupOptions.all ? [] : '', 0);
      if (lookupOptions.all) return done(null, addresses);
      const first = addresses[0]!;
      done(null, first.address, first.family);
    });
  };
}

/** One bad address among good ones is enough: a name that points both ways is an attack or a mistake. */
function refusalOfAny(addresses: LookupAddress[], protocol: string, rules: EgressRules): Error | null {
  if (addresses.length === 0) return egressDenied('the host name has no address');
  for (const { address } of addresses) {
    const refused = refusal(address, protocol, rules);
    if (refused) return refused;
  }
  return null;
}

function refusal(address: string, protocol: string, rules: EgressRules): Error | null {
  try {
    assertAddressAllowed(address, protocol, rules);
    return null;
  } catch (denied) {
    return denied as Error;
  }
}

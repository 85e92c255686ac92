import type { IncomingMessage, ServerResponse } from 'node:http';
import { conformanceFeatures } from './conformance-features.js';
import { conformanceTools } from './conformance-tools.js';
import { startFixtureUpstream, type FixtureOptions, type FixtureUpstream } from './start-fixture-upstream.js';

export type ConformanceOptions = {
  port?: number;
  era?: FixtureOptions['era'];
  /** Put before the name of each tool and prompt: `test_` makes the upstream a target of the suite by itself. */
  prefix?: string;
};

/**
 * The upstream behind the gateway when the MCP conformance suite runs. Without a prefix and registered with the slug `test`,
 * its tools have outwardly the names that the suite calls; with `test_` it passes the suite by itself, and behind a
 * toolset that leaves names as they are.
 */
export async function startConformanceUpstream({
  port,
  era,
  prefix = '',
}: ConformanceOptions = {}): Promise<FixtureUpstream> {
  const tools = conformanceTools();
  for (const { wire } of tools) wire.name = `${prefix}${wire.name}`;
  return startFixtureUpstream({
    port,
    era,
    tools,
    name: 'conformance-upstream',
    features: conformanceFeatures(prefix),
    guard: onlyLocal,
  });
}

/** A page of another site must not reach a server on loopback through its visitor's browser. */
async function onlyLocal(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
  const isLocal = (url: string): boolean => URL.canParse(url) && local.has(new URL(url).hostname);
  const { host = '', origin } = req.headers;
  if (isLocal(`http://${host}`) && (origin === undefined || isLocal(origin))) return true;
  res.writeHead(403).end('Forbidden');
  return false;
}

const local = new Set(['127.0.0.1', 'localhost', '[::1]']);

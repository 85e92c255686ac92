import { conformanceTools } from './conformance-tools.js';
import { startFixtureUpstream, type FixtureUpstream } from './start-fixture-upstream.js';

export type ConformanceOptions = {
  port?: number;
  /** Put before each tool's name: `test_` makes the upstream a target of the suite by itself. */
  prefix?: string;
};

/**
 * The upstream behind the gateway when the MCP conformance suite runs: registered with the slug `test`, its tools have
 * outwardly the names that the suite calls.
 */
export async function startConformanceUpstream({
  port,
  prefix = '',
}: ConformanceOptions = {}): Promise<FixtureUpstream> {
  const tools = conformanceTools();
  for (const { wire } of tools) wire.name = `${prefix}${wire.name}`;
  return startFixtureUpstream({ port, tools, name: 'conformance-upstream', capabilities: { logging: {} } });
}

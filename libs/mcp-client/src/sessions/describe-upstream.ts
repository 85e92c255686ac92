import type { Client, PriorDiscovery } from '@modelcontextprotocol/client';
import type { UpstreamDescription } from '@switchyard/contracts';

/** What a connected client knows of its server. */
export function describeUpstream(client: Client): UpstreamDescription {
  const server = client.getServerVersion();
  return {
    era: client.getProtocolEra() === 'modern' ? 'modern' : 'legacy',
    protocolVersion: client.getNegotiatedProtocolVersion() ?? '',
    serverName: server?.name ?? null,
    serverVersion: server?.version ?? null,
    instructions: client.getInstructions() ?? null,
    capabilities: client.getServerCapabilities() as Record<string, unknown> | undefined,
  };
}

/** The era of a connected client's server, in the form that a later connection can start from. */
export function eraOf(client: Client): PriorDiscovery {
  const discover = client.getDiscoverResult();
  return client.getProtocolEra() === 'modern' && discover ? { kind: 'modern', discover } : { kind: 'legacy' };
}

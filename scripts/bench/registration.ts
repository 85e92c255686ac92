import { setTimeout as delay } from 'node:timers/promises';
import { type Endpoint, McpSession, readResult } from './mcp-session.ts';
import type { Switchyard } from './switchyard.ts';

const connectedWithinMs = 60_000;
const listedWithinMs = 10_000;

/** An integration as measured: the same MCP server, directly and through Switchyard. */
export type Registered = { slug: string; direct: Endpoint; through: Endpoint };

/** Registers the upstream's endpoint `path` under `slug`, waits for its tools, and makes a key that may call them. */
export async function register(switchyard: Switchyard, slug: string, path: string): Promise<Registered> {
  const url = switchyard.upstreamUrl + path;
  const transport = { type: 'http', url };
  const { id } = await admin(switchyard, 'POST', '/api/integrations', {
    slug,
    name: slug,
    auth_mode: 'none',
    transport,
  });
  await untilConnected(switchyard, String(id));
  const mcp_configs = [{ mcp_client_name: slug, tools_to_execute: ['*'] }];
  const { key } = await admin(switchyard, 'POST', '/api/virtual-keys', { name: slug, mcp_configs });
  const through = { url: `${switchyard.gatewayUrl}/mcp`, key: String(key) };
  await untilListed(through);
  return { slug, direct: { url }, through };
}

/** A new key is known to the gateway a moment later. */
async function untilListed(endpoint: Endpoint): Promise<void> {
  for (const giveUpAt = Date.now() + listedWithinMs; ; await delay(100)) {
    const tools = await listTools(endpoint).catch((error: unknown) => error);
    if (Array.isArray(tools) && tools.length > 0) return;
    if (Date.now() > giveUpAt) throw new Error('the tools are not listed', { cause: tools });
  }
}

async function listTools(endpoint: Endpoint): Promise<unknown> {
  const session = await McpSession.open(endpoint, 'legacy');
  const listed = await session.listTools().finally(() => session.close());
  return readResult(listed).tools;
}

async function untilConnected(switchyard: Switchyard, id: string): Promise<void> {
  for (const giveUpAt = Date.now() + connectedWithinMs; ; await delay(200)) {
    const integration = await admin(switchyard, 'GET', `/api/integrations/${id}`);
    if (integration.state === 'connected' && Number(integration.tool_count) > 0) return;
    if (Date.now() > giveUpAt)
      throw new Error(`the upstream was not connected: ${JSON.stringify(integration)}`);
  }
}

async function admin({ gatewayUrl, adminKey }: Switchyard, method: string, path: string, body?: object) {
  const response = await fetch(gatewayUrl + path, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

import { afterEach, describe, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  startAuthorizationServer,
  type IssueOptions,
  type TestAuthorizationServer,
} from '../authorization-server/start-authorization-server.js';
import {
  startProtectedUpstream,
  type ProtectedOptions,
  type ProtectedUpstream,
} from './start-protected-upstream.js';

const closing: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

type Pair = { server: TestAuthorizationServer; upstream: ProtectedUpstream };

async function start(options: Partial<ProtectedOptions> = {}): Promise<Pair> {
  const server = await startAuthorizationServer();
  const upstream = await startProtectedUpstream({ issuer: server.issuer, ...options });
  closing.push(server, upstream);
  return { server, upstream };
}

const scoped = (scope: string): IssueOptions => ({ claims: { scope, client_id: 'c' } });

async function connect(upstream: ProtectedUpstream, token: string): Promise<Client> {
  const headers = { authorization: `Bearer ${token}` };
  const client = new Client({ name: 't', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(upstream.url), { requestInit: { headers } }),
  );
  closing.push(client);
  return client;
}

const post = (upstream: ProtectedUpstream, token?: string, body: object = {}) =>
  fetch(upstream.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });

describe('the protected upstream', () => {
  it.each(['legacy', 'modern'] as const)('tells a %s client who it is', async (era) => {
    const { server, upstream } = await start({ era });
    const client = await connect(
      upstream,
      await server.issueToken('alice', upstream.resource, scoped('notes:read')),
    );
    const { structuredContent } = await client.callTool({ name: 'whoami', arguments: {} });
    expect(structuredContent).toEqual({
      sub: 'alice',
      aud: upstream.resource,
      scope: 'notes:read',
      client_id: 'c',
    });
    expect(upstream.seen).toMatchObject([{ tool: 'whoami', sub: 'alice' }]);
  });

  it('keeps everybody’s notes apart', async () => {
    const { server, upstream } = await start();
    const [alice, bob] = [
      await connect(upstream, await server.issueToken('alice', upstream.resource)),
      await connect(upstream, await server.issueToken('bob', upstream.resource)),
    ];
    await alice.callTool({ name: 'add_note', arguments: { text: 'hers' } });
    const { structuredContent } = await bob.callTool({ name: 'list_notes', arguments: {} });
    expect(structuredContent).toEqual({ notes: [] });
  });

  it('challenges whoever has no token with its metadata, which name the issuer', async () => {
    const { server, upstream } = await start();
    const response = await post(upstream);
    expect(response.status).toBe(401);
    const challenge = response.headers.get('www-authenticate') ?? '';
    const metadata = await fetch(/resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '');
    expect(await metadata.json()).toMatchObject({
      resource: upstream.resource,
      authorization_servers: [server.issuer],
    });
  });

  it('refuses tokens of another audience, another issuer, and expired ones', async () => {
    const [{ server, upstream }, other] = [await start(), await start()];
    const tokens = [
      await server.issueToken('alice', other.upstream.resource),
      await other.server.issueToken('alice', upstream.resource),
      await server.issueToken('alice', upstream.resource, { ttlSeconds: -60 }),
      'garbage',
    ];
    for (const token of tokens) expect((await post(upstream, token)).status).toBe(401);
  });

  it('asks for the scope that a tool needs', async () => {
    const { server, upstream } = await start({ requiredScopes: ['notes:read'] });
    const token = await server.issueToken('alice', upstream.resource, scoped('notes:read'));
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'admin_only' } };
    const response = await post(upstream, token, body);
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="admin"');
  });

  it('can take back the tokens that it has seen', async () => {
    const { server, upstream } = await start();
    const [one, two] = [
      await server.issueToken('alice', upstream.resource),
      await server.issueToken('bob', upstream.resource),
    ];
    await post(upstream, one);
    upstream.revokeSeenTokens();
    expect((await post(upstream, one)).status).toBe(401);
    expect((await post(upstream, two)).status).not.toBe(401);
  });
});

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import { rpc, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

const pieces = 3;

/** As a chat answers: each piece when it is there, and not before the one before has arrived. */
let tellMore: () => void = () => undefined;
function words(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let sent = 0;
  tellMore = () => (sent < pieces ? response.write(`data: ${++sent}\n\n`) : response.end());
  tellMore();
}

type Seen = { method?: string; url?: string; headers: IncomingMessage['headers']; body: string };

describe('forwarding to owners', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let registry: Server;
  const seen: Seen[] = [];

  beforeAll(async () => {
    registry = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push({ method: request.method, url: request.url, headers: request.headers, body });
        if (request.url?.includes('hang')) return request.socket.destroy();
        if (request.url?.includes('stream-of-words')) return words(response);
        const status = request.method === 'POST' ? 201 : 200;
        response.writeHead(status, {
          'content-type': 'application/json',
          connection: 'close',
          location: '/api/integrations/1',
        });
        response.end(JSON.stringify({ id: '1' }));
      });
    });
    registry.listen(0, '127.0.0.1');
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    const port = (registry.address() as AddressInfo).port;
    const owner = `http://127.0.0.1:${port}`;
    gateway = await harness.startGateway({
      GATEWAY_REGISTRY_URL: owner,
      GATEWAY_TOKEN_BROKER_URL: owner,
      GATEWAY_DISPATCH_URL: owner,
      GATEWAY_AGENT_RUNNER_URL: owner,
    });
  }, 120_000);
  afterAll(async () => {
    registry.close();
    await harness.close();
  });

  it.each([
    '/api/organizations',
    '/api/integrations',
    '/api/integrations/1/tools?limit=5&cursor=a%2Bb',
    '/api/virtual-keys/1',
    '/api/import',
    '/api/mcp/client/1/reconnect',
    '/api/openapi.json',
    '/api/identity-providers',
    '/api/users/1',
    '/api/policies',
    '/api/agents/1/schedules/2/run',
    '/sign-in?return_to=%2Fintegrations%2F1%2Fconnect',
    '/sign-in/callback?code=c&state=s&iss=i',
    '/sign-out',
    '/integrations/1/connect?as=service',
    '/oauth/callback?code=c&state=s',
    '/oauth/client-metadata.json',
    '/api/credentials?limit=5',
    '/api/audit/verification',
    '/api/approvals?state=pending',
    '/api/approvals/1',
    '/api/chat/1/stream',
    '/api/runs/1',
    '/api/conversations/1',
  ])('hands %s on as it came', async (path) => {
    const response = await fetch(`${gateway.url}${path}`, { headers: { authorization: 'Bearer admin' } });
    expect([response.status, await response.json()]).toEqual([200, { id: '1' }]);
    expect(seen.at(-1)).toMatchObject({
      method: 'GET',
      url: path,
      headers: { authorization: 'Bearer admin' },
    });
  });

  it('hands bodies and answers on, whatever their type and size, and says where a request came from', async () => {
    const body = JSON.stringify({ slug: 'notes', padding: 'x'.repeat(200_000) });
    const answer = await rpc(`${gateway.url}/api/integrations`, body, { 'x-forwarded-for': '10.0.0.1' });
    expect([answer.status, answer.headers.get('location')]).toEqual([201, '/api/integrations/1']);
    expect(seen.at(-1)?.body).toBe(body);
    expect(seen.at(-1)?.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': new URL(gateway.url).host,
      'x-forwarded-proto': 'http',
    });
    await fetch(`${gateway.url}/api/import`, {
      method: 'POST',
      headers: { 'content-type': 'text/yaml' },
      body: 'a: 1',
    });
    expect(seen.at(-1)?.body).toBe('a: 1');
  });

  it('passes a stream on piece by piece', async () => {
    const response = await fetch(`${gateway.url}/api/chat/stream-of-words`, { method: 'POST', body: '{}' });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const arrived: string[] = [];
    for await (const piece of response.body!) {
      arrived.push(Buffer.from(piece).toString());
      tellMore();
    }
    expect(arrived).toEqual(['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']);
  });

  it('hands the body of a webhook on byte for byte, as its signature covers it', async () => {
    const body = Buffer.from('{ "b":1,  "a" : "\\u00e9", "n": 1.0 }\r\n');
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      const headers = { 'content-type': type, 'webhook-signature': 'v1,abc' };
      await fetch(`${gateway.url}/hooks/1`, { method: 'POST', headers, body });
      expect(seen.at(-1)).toMatchObject({ url: '/hooks/1', body: body.toString(), headers });
    }
    for (const type of ['foo', '', '/']) {
      const headers = { 'content-type': type, 'webhook-signature': `v1,${type}` };
      const { status } = await fetch(`${gateway.url}/hooks/1`, { method: 'POST', headers, body });
      expect(status).toBe(201);
      expect(seen.at(-1)).toMatchObject({
        body: body.toString(),
        headers: { 'webhook-signature': `v1,${type}` },
      });
    }
  });

  it.each(['with', 'without'])(
    'refuses a body that the registry would not take, %s a length',
    async (how) => {
      const before = seen.length;
      const text = JSON.stringify({ padding: 'x'.repeat(1_048_576) });
      const body = how === 'with' ? text : new Blob([text]).stream();
      const response = await fetch(`${gateway.url}/api/import`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        duplex: 'half',
      });
      expect([response.status, await response.json()]).toMatchObject([413, { code: 'payload_too_large' }]);
      expect(seen.length).toBe(before);
    },
  );

  it.each([
    '/healthz',
    '/readyz',
    '/metrics',
    '/api/integrations/../../metrics',
    '/api/integrations/%2e%2e/%2e%2e/metrics',
    '/api/other',
    '/integrations/../metrics',
    '/oauth2/token',
  ])('does not hand on %s', async (path) => {
    const before = seen.length;
    const response = await fetch(`${gateway.url}${path}`);
    expect([404, 400]).toContain(response.status);
    expect(seen.length).toBe(before);
  });

  it('answers with a problem document while the registry is away or breaks off, and repeats nothing of it', async () => {
    const broken = await fetch(`${gateway.url}/api/integrations/hang`);
    expect(broken.status).toBe(503);
    expect(await broken.json()).toMatchObject({ code: 'dependency_unavailable' });
    const calls = seen.filter(({ url }) => url?.includes('hang')).length;
    expect(calls).toBe(1);
    const port = (registry.address() as AddressInfo).port;
    registry.closeAllConnections();
    registry.close();
    await until(async () => {
      const answer = await rpc(`${gateway.url}/api/integrations`, {});
      expect(answer).toMatchObject({
        status: 503,
        body: { code: 'dependency_unavailable', title: expect.any(String) },
      });
      expect(JSON.stringify(answer.body)).not.toContain(String(port));
    });
  });
});

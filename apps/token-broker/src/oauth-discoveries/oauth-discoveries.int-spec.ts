import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OAuthDiscoveryAnswer, queues } from '@switchyard/contracts';
import { codeOf, PeopleHarness } from '../people-harness-spec.js';

let people: PeopleHarness;
const servers: Server[] = [];

beforeAll(async () => {
  people = await PeopleHarness.open();
  await people.broker.startBroker();
}, 120_000);
afterAll(async () => {
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  await people.close();
});

function discover(url: string): Promise<OAuthDiscoveryAnswer> {
  const { orgId } = people.broker;
  return people.broker.queue.request(queues.oauthDiscoveries, { v: 1, orgId, url }, { timeoutMs: 25_000 });
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server whose protected resource metadata name this authorization server. */
async function serverOf(issuer: string): Promise<string> {
  const origin: string = await serve((request, response) => {
    if (request.url?.startsWith('/.well-known/oauth-protected-resource')) {
      response.setHeader('content-type', 'application/json');
      return void response.end(
        JSON.stringify({ resource: `${origin}/mcp`, authorization_servers: [issuer] }),
      );
    }
    response.statusCode = request.method === 'POST' ? 401 : 404;
    response.end();
  });
  return `${origin}/mcp`;
}

describe('a discovery', () => {
  it('fills the form', async () => {
    expect(await discover(people.upstream.url)).toMatchObject({
      status: 'found',
      oauth: { authorization_server: people.vendor.issuer, scopes: ['notes:read', 'notes:write'] },
      registration: ['dynamic', 'configured'],
    });
  });

  it.each([
    [
      'at an address that is never allowed',
      () => Promise.resolve('http://169.254.169.254/mcp'),
      'egress_denied',
    ],
    ['of metadata at such an address', () => serverOf('http://169.254.169.254'), 'egress_denied'],
    ['of an issuer of another scheme', () => serverOf('file:///etc/passwd'), 'upstream_protocol_error'],
  ])('%s is refused and written down', async (_what, url, code) => {
    expect(await discover(await url())).toMatchObject({ status: 'refused', error: { code } });
    expect((await people.audit('discovery_refused')).at(-1)).toMatchObject({ code, result: 'refused' });
  });

  it('does not follow a redirect to another origin', async () => {
    const asked: string[] = [];
    const inside = await serve((request, response) => {
      asked.push(request.url ?? '');
      response.end('{}');
    });
    const outside = await serve((_request, response) => {
      response.writeHead(307, { location: `${inside}/latest/meta-data` }).end();
    });
    expect(await discover(`${outside}/mcp`)).toMatchObject({ status: 'refused' });
    expect(asked).toEqual([]);
  });

  it('reads no more than a mebibyte of 50', async () => {
    let sent = 0;
    const issuer = await serve((_request, response) => {
      response.setHeader('content-type', 'application/json');
      const chunk = Buffer.alloc(65_536, ' ');
      const more = (): void => {
        while (sent < 50 * 1_048_576 && response.writable) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
        response.end('{}');
      };
      more();
    });
    expect(await discover(await serverOf(issuer))).toMatchObject({
      status: 'refused',
      error: { code: 'result_too_large' },
    });
    expect(sent).toBeLessThan(25 * 1_048_576);
  });

  it('by a broker without the development setting reaches nothing on loopback', async () => {
    const integrationId = await people.insertIntegration({ auth_mode: 'client_credentials' });
    await people.broker.running[0]!.close();
    const strict = await people.broker.startBroker({ SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'false' });
    expect(await discover(people.upstream.url)).toMatchObject({
      status: 'refused',
      error: { code: 'egress_denied' },
    });
    expect(codeOf(await people.lease(integrationId, null))).toBe('egress_denied');
    await strict.close();
  });
});

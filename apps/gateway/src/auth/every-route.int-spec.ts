import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import {
  agentRunnerPaths,
  dispatchPaths,
  registryPaths,
  tokenBrokerPaths,
} from '../forwarding/forward-to-owners.js';
import { GatewayHarness } from '../gateway-harness-spec.js';

type Route = { readonly method: string; readonly url: string };

/** Open to everybody, for that is how clients find out where to sign in; `oauth` has tests of its own. */
const open = [/^\/\.well-known\//, /^\/oauth2\//];
const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
const claims = Buffer.from('{"iss":"http://x","sub":"a","aud":"b","exp":9999999999}').toString('base64url');

/** What could fall through to another way in, were it not judged as what it says it is. */
const refused: Record<string, Record<string, string>> = {
  'no credential': {},
  'a bearer of nothing': { authorization: 'Bearer' },
  'a garbage bearer': { authorization: 'Bearer garbage' },
  'an unknown key': { authorization: `Bearer vk_${'x'.repeat(32)}` },
  'an unknown key in X-Api-Key': { 'x-api-key': `vk_${'x'.repeat(32)}` },
  'a garbage X-Api-Key': { 'x-api-key': 'garbage' },
  'an admin key': { authorization: `Bearer ak_${'x'.repeat(32)}` },
  'an unsigned token': { authorization: `Bearer ${none}.${claims}.` },
  'a token with a made-up signature': { authorization: `Bearer ${none}.${claims}.AAAA` },
  'basic authentication': { authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` },
  'two credentials': { authorization: 'Bearer garbage', 'x-api-key': `vk_${'x'.repeat(32)}` },
};

describe('every route of the gateway', () => {
  let harness: GatewayHarness;
  let url: string;
  const routes: Route[] = [];

  beforeAll(async () => {
    const redisUrl = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => redisUrl });
    ({ url } = await harness.startGateway({}, (route) => routes.push(route)));
  }, 120_000);
  afterAll(() => harness.close());

  const forwarded = [...registryPaths, ...tokenBrokerPaths, ...dispatchPaths, ...agentRunnerPaths];
  const guarded = () =>
    routes.filter(
      (route) =>
        route.method !== 'HEAD' &&
        route.method !== 'OPTIONS' &&
        !open.some((path) => path.test(route.url)) &&
        !forwarded.some((path) => route.url === path || route.url.startsWith(`${path}/`)) &&
        !route.url.includes('*'),
    );

  it('is known here', () => {
    const known = guarded().map(({ method, url: path }) => `${method} ${path}`);
    for (const door of ['POST /mcp', 'GET /api/bff/sse', 'POST /api/tool-calls', 'POST /v1/mcp/tool/execute'])
      expect(known).toContain(door);
    expect(known.length).toBeGreaterThan(14);
  });

  it.each(Object.entries(refused))('refuses %s', async (_, headers) => {
    for (const { method, url: path } of guarded()) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : '{}';
      const filled = path.replaceAll(/:\w+/g, '0198c0de-0000-7000-8000-000000000001');
      const answer = await fetch(new URL(filled, url), {
        method,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        body,
      });
      await answer.body?.cancel();
      // Two credentials are a request that contradicts itself.
      expect([method, path, answer.status]).toEqual([
        method,
        path,
        'x-api-key' in headers && 'authorization' in headers ? 400 : 401,
      ]);
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestGateway } from '../gateway-harness-spec.js';
import { OAuthHarness, redirectUri } from './oauth-harness-spec.js';

let harness: OAuthHarness;
let open: TestGateway;
let proxied: TestGateway;

beforeAll(async () => {
  harness = await OAuthHarness.open();
  open = await harness.gateways.startGateway({ GATEWAY_OAUTH_REGISTRATIONS_PER_HOUR: '1' });
  proxied = await harness.gateways.startGateway({
    GATEWAY_OAUTH_REGISTRATIONS_PER_HOUR: '1',
    GATEWAY_TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1',
    GATEWAY_PUBLIC_URL: open.url,
  });
}, 120_000);
afterAll(() => harness.close());

/** Registers as a client behind a proxy does; gives the status. */
async function registerBehind({ url }: TestGateway, forwardedFor: string, path = '/oauth2/register') {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': forwardedFor },
    body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
  });
  return response.status;
}

/** Statuses of so many requests that come from one address behind the proxy. */
async function ask(
  path: string,
  address: string,
  { times, cookie = '' }: { times: number; cookie?: string },
) {
  const statuses = new Set<number>();
  for (let done = 0; done < times; done += 50)
    for (const { status } of await Promise.all(
      Array.from({ length: Math.min(50, times - done) }, (_, n) =>
        fetch(`${proxied.url}${path}`, {
          redirect: 'manual',
          headers: { 'x-forwarded-for': address, ...(cookie && { cookie: `${cookie}=${done + n}` }) },
        }),
      ),
    ))
      statuses.add(status);
  return [...statuses].sort();
}

describe('the limit of registrations', () => {
  it('is each address’s own behind a trusted proxy, whatever a client claims beside', async () => {
    expect(await registerBehind(proxied, '203.0.113.1')).toBe(201);
    expect(await registerBehind(proxied, '203.0.113.1')).toBe(429);
    expect(await registerBehind(proxied, '198.51.100.9, 203.0.113.1')).toBe(429);
    expect(await registerBehind(proxied, '203.0.113.2, 10.1.2.3')).toBe(201);
    expect(await registerBehind(proxied, '2001:db8::1')).toBe(201);
    expect(await registerBehind(proxied, '2001:db8::2:1')).toBe(429);
  });

  it('is one for all who come by a proxy that nobody trusts', async () => {
    expect(await registerBehind(open, '203.0.113.3')).toBe(201);
    expect(await registerBehind(open, '203.0.113.4')).toBe(429);
  });

  it('holds however the path is written', async () => {
    for (const path of ['/oauth2/register?x=1', '/oauth2/register?', '/oauth2/%72egister'])
      expect([path, await registerBehind(open, '203.0.113.5', path)]).not.toEqual([path, 201]);
  });
});

describe('the limit of requests', () => {
  it('does not count what all may read', async () => {
    expect(await ask('/oauth2/jwks', '203.0.113.10', { times: 610 })).toEqual([200]);
  });

  it('of one door shuts no other, and of one address no other', async () => {
    const [path, address] = ['/oauth2/authorize?client_id=x', '203.0.113.11'];
    expect(await ask(path, address, { times: 610 })).toEqual([400, 429]);
    expect(await ask(path, '203.0.113.12', { times: 1 })).toEqual([400]);
    expect(await registerBehind(proxied, address)).toBe(201);
  });

  it('holds for made-up sessions, at the API and at the pages', async () => {
    const guess = { times: 610, cookie: 'switchyard_session' };
    expect(await ask('/api/oauth/grants', '203.0.113.13', guess)).toEqual([401, 429]);
    expect(await ask('/oauth2/grants', '203.0.113.13', { ...guess, times: 1 })).toEqual([429]);
  });
});

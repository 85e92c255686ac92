import { createHash, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { signIn, TestBrowser } from './sign-in.js';
import {
  type AuthorizationServerOptions,
  startAuthorizationServer,
  type TestAuthorizationServer,
  type TestClient,
} from './start-authorization-server.js';

const redirectUri = 'http://127.0.0.1:9/callback';
const resource = 'http://127.0.0.1:9/mcp';
const client = { client_id: 'c', client_secret: 'a-secret-of-the-client', redirect_uris: [redirectUri] };
const machine = { client_id: 'm', client_secret: 'a-secret-of-the-machine' };
const exchanger = {
  client_id: 'x',
  client_secret: 'a-secret-of-the-exchanger',
  grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'],
};

const open: TestAuthorizationServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: AuthorizationServerOptions = {}): Promise<TestAuthorizationServer> {
  const server = await startAuthorizationServer({ clients: [client, machine, exchanger], ...options });
  open.push(server);
  return server;
}

type Answer = { status: number; body: any };

async function token(
  server: TestAuthorizationServer,
  params: Record<string, string>,
  as: TestClient = client,
): Promise<Answer> {
  const authorization = `Basic ${Buffer.from(`${as.client_id}:${as.client_secret}`).toString('base64')}`;
  const response = await fetch(`${server.issuer}/token`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams(params),
  });
  return { status: response.status, body: await response.json() };
}

/** An authorization request. */
function requestUrl(server: TestAuthorizationServer, verifier: string): string {
  const url = new URL(`${server.issuer}/auth`);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'notes:read',
    state: 's',
    resource,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  return url.href;
}

/** A whole consent: from the authorization request to the tokens. */
async function connect(
  server: TestAuthorizationServer,
  user: string,
  browser?: TestBrowser,
): Promise<Answer> {
  const verifier = randomBytes(32).toString('base64url');
  const callback = new URL(await signIn({ url: requestUrl(server, verifier), user, browser }));
  expect(callback.searchParams.get('iss')).toBe(server.issuer);
  return token(server, {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    code_verifier: verifier,
    redirect_uri: redirectUri,
  });
}

const refresh = (server: TestAuthorizationServer, refreshToken: string) =>
  token(server, { grant_type: 'refresh_token', refresh_token: refreshToken });

describe('the authorization server for tests', () => {
  it('signs users in by redirects and issues JWTs for the resource, with roles', async () => {
    const server = await start();
    const { body } = await connect(server, 'alice');
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    const { payload } = await jwtVerify(body.access_token, keys, {
      issuer: server.issuer,
      audience: resource,
    });
    expect(payload).toMatchObject({ sub: 'alice', scope: 'notes:read', roles: ['admin'], client_id: 'c' });
  });

  it('keeps a browser signed in', async () => {
    const server = await start();
    const browser = new TestBrowser();
    await connect(server, 'alice', browser);
    const again = await connect(server, 'nobody asks', browser);
    expect(decodeJwt(again.body.access_token).sub).toBe('alice');
  });

  it('passes on that a user says no', async () => {
    const server = await start();
    const callback = new URL(await signIn({ url: requestUrl(server, 'v'), user: 'bob', deny: true }));
    expect(callback.searchParams.get('error')).toBe('access_denied');
  });

  it('rotates refresh tokens, counts refreshes, and ends the family when one is used twice', async () => {
    const server = await start();
    const { body: first } = await connect(server, 'bob');
    const { body: second } = await refresh(server, first.refresh_token);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect((await refresh(server, first.refresh_token)).body.error).toBe('invalid_grant');
    expect((await refresh(server, second.refresh_token)).body.error).toBe('invalid_grant');
    expect([server.refreshes(), server.refreshes(true)]).toEqual([3, 1]);
  });

  it('with a leeway takes a used refresh token once more', async () => {
    const server = await start({ reuseLeewayMs: 60_000 });
    const { body: first } = await connect(server, 'bob');
    await refresh(server, first.refresh_token);
    expect((await refresh(server, first.refresh_token)).status).toBe(200);
  });

  it('registers clients, and forgets them', async () => {
    const server = await start();
    const response = await fetch(`${server.issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirectUri], application_type: 'native' }),
    });
    expect(response.status).toBe(201);
    expect(server.count('Client')).toBe(4);
    server.forgetClients();
    expect((await refresh(server, 'any')).body.error).toBe('invalid_client');
  });

  it('issues client credentials and exchanges tokens, its own and those of issuers that it trusts', async () => {
    const provider = await start();
    const server = await start({ trustedIssuers: [provider.issuer] });
    const own = await token(server, { grant_type: 'client_credentials', resource, scope: 'admin' }, machine);
    expect(decodeJwt(own.body.access_token)).toMatchObject({ aud: resource, scope: 'admin', sub: 'm' });
    const exchange = (subject: string) =>
      token(
        server,
        {
          grant_type: exchanger.grant_types[0] as string,
          subject_token: subject,
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          audience: resource,
          scope: 'notes:read',
        },
        exchanger,
      );
    const { body } = await exchange(await provider.issueToken('bob', 'https://gateway.test'));
    expect(decodeJwt(body.access_token)).toMatchObject({ sub: 'bob', aud: resource, act: { sub: 'x' } });
    const stranger = await start();
    const refused = await exchange(await stranger.issueToken('bob', 'https://gateway.test'));
    expect(refused.body.error).toBe('invalid_grant');
  });

  it('revokes, ends grants of one user, and can be down', async () => {
    const server = await start();
    const [{ body: alice }, { body: bob }] = [await connect(server, 'alice'), await connect(server, 'bob')];
    server.invalidGrant('alice');
    expect((await refresh(server, alice.refresh_token)).body.error).toBe('invalid_grant');
    server.down = true;
    await expect(refresh(server, bob.refresh_token)).rejects.toThrow();
    server.down = false;
    const { body } = await refresh(server, bob.refresh_token);
    const gone = await fetch(`${server.issuer}/token/revocation`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('c:a-secret-of-the-client').toString('base64')}` },
      body: new URLSearchParams({ token: body.refresh_token }),
    });
    expect(gone.status).toBe(200);
    expect((await refresh(server, body.refresh_token)).body.error).toBe('invalid_grant');
  });

  it('does not use a refresh token for somebody who hung up', async () => {
    const server = await start();
    const { body } = await connect(server, 'bob');
    server.delayRefresh(300);
    const hungUp = fetch(`${server.issuer}/token`, {
      method: 'POST',
      signal: AbortSignal.timeout(100),
      headers: { authorization: `Basic ${Buffer.from('c:a-secret-of-the-client').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: body.refresh_token }),
    });
    await expect(hungUp).rejects.toThrow();
    expect((await refresh(server, body.refresh_token)).status).toBe(200);
  });

  it('changes its keys', async () => {
    const server = await start();
    const old = await server.issueToken('alice', resource);
    await server.rotateKeys();
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    await expect(jwtVerify(old, keys)).rejects.toThrow();
    await jwtVerify(await server.issueToken('alice', resource), keys);
  });
});

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort } from '@switchyard/testing';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { startIdentityProvider } from './server.ts';
import { clientId, issuerOf, loadSettings, settingsFile, type Settings } from './settings.ts';
import { signIn } from './sign-in.ts';

const publicUrl = 'http://127.0.0.1:8080';
const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-identity-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function start(): Promise<{ settings: Settings; issuer: string; server: Server }> {
  const settings = await loadSettings(dataFolder(), () => freePort());
  const server = await startIdentityProvider(settings, publicUrl);
  closing.push(() => void server.close().closeAllConnections());
  return { settings, issuer: issuerOf(settings), server };
}

function passwordOf({ users }: Settings, name: string): string {
  return users.find(({ username }) => username === name)?.password ?? '';
}

const form = (url: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body: new URLSearchParams(fields), headers, redirect: 'manual' });

describe('the identity provider of npm start', () => {
  it('keeps port, keys and users between starts, for its owner alone', async () => {
    const folder = dataFolder();
    const first = await loadSettings(folder, async () => 4711);
    const second = await loadSettings(folder, async (last) => last ?? 0);
    expect(second).toEqual(first);
    expect(statSync(join(folder, settingsFile)).mode & 0o777).toBe(0o600);
    expect(await loadSettings(dataFolder(), async () => 1)).not.toMatchObject({ users: first.users });
  });

  it('signs its users in by the form, with tokens for the gateway', async () => {
    const { settings, issuer } = await start();
    const tokens = await signIn({
      issuer,
      clientId,
      username: 'alice',
      password: passwordOf(settings, 'alice'),
    });
    const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(tokens.accessToken, keys, {
      issuer,
      audience: publicUrl,
    });
    expect(payload).toMatchObject({
      sub: 'alice',
      preferred_username: 'alice',
      email: 'alice@example.com',
      name: 'Alice (sample user)',
      roles: ['admin'],
    });
    expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
    const bob = await signIn({ issuer, clientId, username: 'bob', password: passwordOf(settings, 'bob') });
    expect(decodeJwt(bob.idToken)).toMatchObject({ sub: 'bob', roles: [], aud: clientId });
  });

  it('refreshes, with a new refresh token each time', async () => {
    const { settings, issuer } = await start();
    const { refreshToken } = await signIn({
      issuer,
      clientId,
      username: 'bob',
      password: passwordOf(settings, 'bob'),
    });
    const refresh = () =>
      form(`${issuer}/token`, {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: clientId,
      });
    const tokens = (await (await refresh()).json()) as Record<string, string>;
    expect(decodeJwt(tokens['access_token'] ?? '')).toMatchObject({ sub: 'bob', aud: publicUrl });
    expect(tokens['refresh_token']).not.toBe(refreshToken);
    expect((await refresh()).status).toBe(400);
  });

  it('lets nobody in with a wrong password, nor try for long', async () => {
    const { issuer, settings } = await start();
    const attempt = (password: string) => signIn({ issuer, clientId, username: 'alice', password });
    for (let time = 0; time < 5; time++) await expect(attempt(`wrong ${time}`)).rejects.toThrow('status 401');
    await expect(attempt(passwordOf(settings, 'alice'))).rejects.toThrow('status 429');
    await expect(
      signIn({ issuer, clientId, username: 'bob', password: passwordOf(settings, 'bob') }),
    ).resolves.toBeDefined();
  });

  it.each(['https://evil.test/callback', 'http://127.0.0.1:8080/elsewhere', 'http://192.168.0.1/callback'])(
    'sends nobody to %s',
    async (redirectUri) => {
      const { issuer } = await start();
      const query = new URLSearchParams({
        client_id: clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: 'openid',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      });
      const answer = await fetch(`${issuer}/auth?${query}`, { redirect: 'manual' });
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
      expect(await answer.text()).toContain('invalid_redirect_uri');
    },
  );

  it('takes no code request without PKCE, and issues no token for another audience', async () => {
    const { issuer } = await start();
    const ask = async (more: Record<string, string>) => {
      const query = new URLSearchParams({
        client_id: clientId,
        response_type: 'code',
        redirect_uri: 'http://localhost:1234/callback',
        scope: 'openid',
        ...more,
      });
      const answer = await fetch(`${issuer}/auth?${query}`, { redirect: 'manual' });
      return new URL(answer.headers.get('location') ?? '', issuer).searchParams.get('error');
    };
    const pkce = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' };
    expect(await ask({})).toBe('invalid_request');
    expect(await ask({ ...pkce, code_challenge_method: 'plain' })).toBe('invalid_request');
    expect(await ask({ ...pkce, resource: 'https://bank.test' })).toBe('invalid_target');
    expect(await ask(pkce)).toBeNull();
  });

  it('signs in for a device', async () => {
    const { issuer, settings } = await start();
    const begun = await form(`${issuer}/device/auth`, { client_id: clientId, scope: 'openid' });
    const { device_code: code, verification_uri: uri } = (await begun.json()) as Record<string, string>;
    expect(await (await fetch(uri ?? '')).text()).toContain('Enter the code that your device shows.');
    const poll = await form(`${issuer}/token`, {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: code ?? '',
      client_id: clientId,
    });
    expect(await poll.json()).toMatchObject({ error: 'authorization_pending' });
    expect(settings.users).toHaveLength(2);
  });

  it('answers to its own address alone, and shows pages that load nothing', async () => {
    const { issuer, settings } = await start();
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      const headers = { host: `evil.test:${settings.port}` };
      request(`${issuer}/.well-known/openid-configuration`, { headers }, (res) => {
        res.resume();
        resolve(res.statusCode);
      }).end();
    });
    expect(status).toBe(403);
    const page = await fetch(`${issuer}/interaction/none`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).not.toMatch(/src=|href=|@import|url\(/);
  });
});

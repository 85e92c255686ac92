import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queues } from '@switchyard/contracts';
import { eventually, signIn, TestBrowser } from '@switchyard/testing';
import { PeopleHarness, type Person } from '../people-harness-spec.js';

let people: PeopleHarness;
let bob: Person;

beforeAll(async () => {
  people = await PeopleHarness.open();
  await people.broker.startBroker();
  bob = await people.person('bob');
}, 120_000);
afterAll(() => people.close());

function get(path: string, browser = new TestBrowser(), init?: RequestInit): Promise<Response> {
  return browser.request(new URL(path, people.broker.publicUrl).href, init);
}

/** Up to the callback, which nobody has opened yet. */
async function begun(browser: TestBrowser, path = '/sign-in?return_to=/sign-in'): Promise<string> {
  const answer = await get(path, browser);
  return signIn({ url: answer.headers.get('location') ?? '', user: 'bob', browser });
}

async function isSignedIn(browser: TestBrowser): Promise<boolean> {
  return (await get('/api/credentials', browser)).status === 200;
}

describe('signing in', () => {
  it('gives a session by a cookie that scripts and other sites do not have, and by its hash alone in the vault', async () => {
    const browser = new TestBrowser();
    const done = await browser.request(await begun(browser));
    const cookie = done.headers.getSetCookie().find((one) => one.startsWith('switchyard_session='))!;
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
    const token = /=([^;]+)/.exec(cookie)![1]!;
    const rows = JSON.stringify(await people.broker.sql.query(`SELECT s::text FROM vault.sessions s`));
    expect(rows).not.toContain(token);
    expect(await isSignedIn(browser)).toBe(true);
    expect((await people.audit('signed_in')).length).toBeGreaterThan(0);
  });

  it('uses PKCE, a nonce and a state', async () => {
    const url = new URL((await get('/sign-in?return_to=/')).headers.get('location') ?? '');
    expect(url.searchParams.get('code_challenge_method')).toBe('S256');
    for (const name of ['code_challenge', 'nonce', 'state'])
      expect(url.searchParams.get(name)).toHaveLength(43);
  });

  it('has the provider ask who is there where somebody else wants to sign in, and tells it nothing else', async () => {
    const promptOf = async (prompt: string) => {
      const { headers } = await get(`/sign-in?return_to=/&prompt=${prompt}`);
      return new URL(headers.get('location') ?? '').searchParams.get('prompt');
    };
    expect([await promptOf('login'), await promptOf('none'), await promptOf('')]).toEqual([
      'login',
      null,
      null,
    ]);
    const page = await (await get('/sign-in?organization=nobody-here&return_to=/x&prompt=login')).text();
    expect(page).toContain('name="prompt" value="login"');
  });

  it.each(['https://evil.test/', '//evil.test', '/\\evil.test', '/%09/evil.test', '/a/..//evil.test'])(
    'sends nobody to %s',
    async (target) => {
      const browser = new TestBrowser();
      const url = await begun(browser, `/sign-in?return_to=${encodeURIComponent(target)}`);
      expect((await browser.request(url)).headers.get('location')).toBe('/sign-in');
    },
  );

  it('cannot be ended in another browser (login CSRF), nor twice, nor with another state', async () => {
    const [victim, attacker] = [new TestBrowser(), new TestBrowser()];
    const url = await begun(attacker);
    expect((await victim.request(url)).status).toBe(401);
    expect(await isSignedIn(victim)).toBe(false);
    const changed = new URL(url);
    changed.searchParams.set('state', 'x'.repeat(43));
    expect((await attacker.request(changed.href)).status).toBe(401);
    expect((await attacker.request(url)).status).toBe(303);
    expect((await attacker.request(url)).status).toBe(401);
    expect((await people.audit('sign_in_refused')).length).toBeGreaterThanOrEqual(3);
  });

  it('with the answer of another issuer is refused', async () => {
    const browser = new TestBrowser();
    const url = new URL(await begun(browser));
    url.searchParams.set('iss', 'https://evil.test');
    expect((await browser.request(url.href)).status).toBe(401);
  });

  it('is refused to a user who is deactivated, and ends the session that there is', async () => {
    const eve = await people.person('eve');
    expect(await isSignedIn(eve.browser)).toBe(true);
    await people.broker.sql.query(`UPDATE registry.users SET active = false WHERE id = $1`, [eve.id]);
    expect(await isSignedIn(eve.browser)).toBe(false);
  });

  it('fills no audit log with the refusals of strangers, who silence nobody else', async () => {
    const strangers = async () =>
      (await people.audit('sign_in_refused')).filter((row) => row.organization_id === null);
    const before = (await strangers()).length;
    const begunAt = Date.now();
    for (let n = 0; n < 60; n++) expect((await get('/sign-in/callback')).status).toBe(401);
    // Twenty in each window of ten seconds, the one under way too.
    const windows = Math.ceil((Date.now() - begunAt) / 10_000) + 1;
    expect((await strangers()).length - before).toBeLessThanOrEqual(20 * windows);
    const all = (await people.audit('sign_in_refused')).length;
    const browser = new TestBrowser();
    const url = new URL(await begun(browser));
    url.searchParams.set('state', 'x'.repeat(43));
    expect((await browser.request(url.href)).status).toBe(401);
    expect(await people.audit('sign_in_refused')).toHaveLength(all + 1);
  });

  it.each([
    ['disabled', `UPDATE registry.identity_providers SET enabled = false WHERE id = $1`],
    ['deleted', `DELETE FROM registry.identity_providers WHERE id = $1`],
    [
      'another issuer',
      `UPDATE registry.identity_providers SET issuer = 'https://new-idp.test' WHERE id = $1`,
    ],
  ])('ends with the provider that is %s', async (how, change) => {
    const carol = await people.person('carol');
    const id = await people.insertProvider(people.broker.orgId, 'switchyard', `of-carol-${how}`);
    expect(await isSignedIn(carol.browser)).toBe(true);
    await people.broker.sql.query(
      `UPDATE vault.sessions SET facts = jsonb_set(facts, '{providerId}', to_jsonb($1::text)) WHERE user_id = $2`,
      [id, carol.id],
    );
    expect(await isSignedIn(carol.browser)).toBe(true);
    await people.broker.sql.query(change, [id]);
    expect(await isSignedIn(carol.browser)).toBe(false);
    await people.broker.sql.query(`DELETE FROM registry.identity_providers WHERE id = $1`, [id]);
    // The broker keeps the list of providers for two seconds: while it has two, signing in asks which.
    await eventually(async () => (await get('/sign-in?return_to=/')).status === 303);
  });

  it('says so when the provider is away, and works when it is back', async () => {
    people.provider.down = true;
    const answer = await get('/sign-in?return_to=/');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('The identity provider does not answer');
    people.provider.down = false;
    expect((await get('/sign-in?return_to=/')).status).toBe(303);
  });

  it('asks for the organization where the name says nothing', async () => {
    expect((await get('/sign-in?organization=nowhere')).status).toBe(404);
    expect((await get('/sign-in?organization=default')).status).toBe(303);
  });
});

describe('signing out', () => {
  it('ends the session, for a form of ours alone', async () => {
    const carol = await people.person('carol');
    const post = (origin: string) => carol.get('/sign-out', { method: 'POST', headers: { origin } });
    expect((await post('https://evil.test')).status).toBe(403);
    expect(await isSignedIn(carol.browser)).toBe(true);
    expect((await post(people.broker.publicUrl)).status).toBe(200);
    expect(await isSignedIn(carol.browser)).toBe(false);
  });
});

describe('/oauth/client-metadata.json', () => {
  it('is there only where vendors could fetch it', async () => {
    expect((await get('/oauth/client-metadata.json')).status).toBe(404);
    const origin = 'https://switchyard.example';
    const other = await people.broker.startBroker({ SWITCHYARD_PUBLIC_URL: origin });
    const document = await (
      await fetch(`http://127.0.0.1:${other.httpPort}/oauth/client-metadata.json`)
    ).json();
    expect(document).toMatchObject({
      client_id: `${origin}/oauth/client-metadata.json`,
      redirect_uris: [`${origin}/oauth/callback`],
      token_endpoint_auth_method: 'none',
    });
    await other.close();
    expect(bob.name).toBe('bob');
  });
});

describe('browser sessions, for the gateway', () => {
  const digestOf = (browser: TestBrowser): string => {
    const token = browser.cookie(people.broker.publicUrl, 'switchyard_session') ?? '';
    return createHash('sha256').update(token).digest('hex');
  };
  const ask = (sessionSha256: string) =>
    people.broker.queue.request(queues.browserSessions, { v: 1, sessionSha256 }, { timeoutMs: 10_000 });

  it('say who is signed in, with roles and claims, until the session ends', async () => {
    const alice = await people.person('alice');
    const answer = await ask(digestOf(alice.browser));
    expect(answer).toMatchObject({
      ...{ status: 'signed_in', orgId: people.broker.orgId, userId: alice.id, roles: ['admin'] },
      claims: { sub: 'alice', roles: ['admin'] },
    });
    expect(answer.status === 'signed_in' && answer.claims).not.toHaveProperty('nonce');
    await alice.get('/sign-out', { method: 'POST', headers: { origin: people.broker.publicUrl } });
    expect(await ask(digestOf(alice.browser))).toEqual({ status: 'signed_out' });
  });

  it('say nothing of a value that is no session', async () => {
    expect(await ask('0'.repeat(64))).toEqual({ status: 'signed_out' });
  });
});

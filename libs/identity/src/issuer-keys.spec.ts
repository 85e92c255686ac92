import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { endlessAnswer, TokenIssuer } from '@switchyard/testing';
import { TokenVerifier } from './token-verifier.js';
import type { TrustedIssuer } from './trusted-issuer.js';

const minute = 60_000;
const discovery = '/.well-known/openid-configuration';

let provider: TokenIssuer;
let verifier: TokenVerifier;
let aheadMs: number;
beforeEach(async () => {
  provider = await TokenIssuer.start();
  aheadMs = 0;
  trust({});
});
afterEach(() => provider.close());

function trust(fields: Partial<TrustedIssuer>): void {
  const trusted = [provider.trusted(fields)];
  verifier = new TokenVerifier({ issuers: () => trusted, fetch, now: () => Date.now() + aheadMs });
}

/** Signed to outlive what the tests do to the clock. */
const token = (kid = 'first') => provider.sign({ kid, lifetimeSeconds: 200_000 });
const outcomeOf = async (jwt: string) =>
  verifier.verify(jwt).then(
    ({ subject }) => subject,
    (error: unknown) => (error as PlatformError).code,
  );
const down = () => provider.answers.set('/keys', (response) => void response.writeHead(503).end());
const up = () => provider.answers.clear();

describe('the keys of an issuer', () => {
  it('are read once, however many ask at once', async () => {
    const jwt = await token();
    await Promise.all(Array.from({ length: 50 }, () => verifier.verify(jwt)));
    expect(provider.keyReads).toBe(1);
  });

  it('are read again for a key that is new, and that at most once in ten seconds', async () => {
    await outcomeOf(await token());
    await provider.addKey('second');
    const rotated = await token('second');
    expect(await outcomeOf(rotated)).toBe('unauthenticated');
    expect(provider.keyReads).toBe(1);
    aheadMs = 10_001;
    expect(await Promise.all(Array.from({ length: 20 }, () => outcomeOf(rotated)))).toEqual(
      Array.from({ length: 20 }, () => 'ada'),
    );
    expect(provider.keyReads).toBe(2);
  });

  it('are not read at the pace of tokens with invented keys', async () => {
    await outcomeOf(await token());
    for (let n = 0; n < 100; n++) {
      aheadMs += 500;
      expect(await outcomeOf(await provider.sign({ header: { kid: `invented-${n}` } }))).toBe(
        'unauthenticated',
      );
    }
    expect(provider.keyReads).toBeLessThanOrEqual(6);
  });

  it('of a provider that never answers are waited for by so many at once, and by nobody just afterwards', async () => {
    const asked: (() => void)[] = [];
    const silent = (() => new Promise((_, fail) => asked.push(() => fail(new Error('at last'))))) as never;
    const trusted = [provider.trusted({})];
    verifier = new TokenVerifier({ issuers: () => trusted, fetch: silent, now: () => Date.now() + aheadMs });
    const jwt = await token();
    const waiting = Array.from({ length: 500 }, () => outcomeOf(jwt));
    expect(await outcomeOf(jwt)).toBe('dependency_unavailable');
    expect(asked).toHaveLength(1);
    // It failed long after it was begun.
    aheadMs = 30_000;
    asked[0]?.();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['dependency_unavailable']));
    expect(await outcomeOf(jwt)).toBe('dependency_unavailable');
    expect(asked).toHaveLength(1);
  });

  it('that were withdrawn are not taken an hour later', async () => {
    const jwt = await token();
    expect(await outcomeOf(jwt)).toBe('ada');
    provider.withdraw('first');
    await provider.addKey('second');
    aheadMs = 61 * minute;
    expect(await outcomeOf(jwt)).toBe('unauthenticated');
    expect(await outcomeOf(await token('second'))).toBe('ada');
  });

  it('go on working while the provider is away, for a day', async () => {
    const jwt = await token();
    expect(await outcomeOf(jwt)).toBe('ada');
    down();
    for (const ahead of [6, 61, 600, 1_439]) {
      aheadMs = ahead * minute;
      expect(await outcomeOf(jwt)).toBe('ada');
    }
    expect(provider.keyReads).toBeGreaterThan(1);
    aheadMs = 1_441 * minute;
    expect(await outcomeOf(jwt)).toBe('dependency_unavailable');
  });

  it('out of reach are no fault of the token’s, and the provider is not pestered', async () => {
    down();
    const jwt = await token();
    for (let n = 0; n < 10; n++) expect(await outcomeOf(jwt)).toBe('dependency_unavailable');
    expect(provider.keyReads).toBe(1);
    up();
    aheadMs = 10_001;
    expect(await outcomeOf(jwt)).toBe('ada');
  });

  it('cannot be told from others while the provider is away', async () => {
    await outcomeOf(await token());
    down();
    aheadMs = 10_001;
    expect(await outcomeOf(await provider.sign({ header: { kid: 'new' } }))).toBe('dependency_unavailable');
    expect(await outcomeOf(await token())).toBe('ada');
  });

  it('are not taken from a host that is not there', async () => {
    const jwt = await token();
    trust({ jwksUri: 'http://127.0.0.1:1/keys' });
    expect(await outcomeOf(jwt)).toBe('dependency_unavailable');
  });
});

describe('a key set', () => {
  const answers = (body: string, status = 200, headers = {}) =>
    provider.answers.set('/keys', (response) => void response.writeHead(status, headers).end(body));

  it('of 50 MB is not read to its end', async () => {
    const { send, sent } = endlessAnswer(50 * 1024 * 1024);
    provider.answers.set('/keys', send);
    expect(await outcomeOf(await token())).toBe('dependency_unavailable');
    expect(sent()).toBeLessThan(8 * 1024 * 1024);
  });

  it('with more than 100 keys is not taken', async () => {
    const [key] = provider.published;
    answers(
      JSON.stringify({
        keys: Array.from({ length: 101 }, (_, n) => ({ ...key, kid: n ? `${n}` : 'first' })),
      }),
    );
    expect(await outcomeOf(await token())).toBe('dependency_unavailable');
  });

  it.each(['', 'null', '[]', '{}', '{"keys":{}}', '{"keys":', '<html>'])(
    'that is none is not taken: %s',
    async (body) => {
      answers(body);
      expect(await outcomeOf(await token())).toBe('dependency_unavailable');
    },
  );

  it('somewhere else is not followed to', async () => {
    answers('', 302, { location: `${provider.issuer}/elsewhere` });
    expect(await outcomeOf(await token())).toBe('dependency_unavailable');
    expect(provider.asked).not.toContain('/elsewhere');
  });

  it('may hold what is no key of ours', async () => {
    provider.published.unshift(
      null as never,
      'key' as never,
      { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
      { kty: 'oct', kid: 'first', k: 'c2VjcmV0' },
      { kty: 'RSA', kid: 'enc', use: 'enc', n: 'AQAB', e: 'AQAB' },
    );
    expect(await outcomeOf(await token())).toBe('ada');
  });

  it('with a weak or broken key refuses the tokens of that key alone', async () => {
    provider.published.push({ kty: 'RSA', kid: 'broken', n: 'AQAB', e: 'AQAB', alg: 'RS256' });
    expect(await outcomeOf(await token())).toBe('ada');
    expect(await outcomeOf(await provider.sign({ header: { kid: 'broken' } }))).toBe('unauthenticated');
  });
});

describe('a discovery document', () => {
  beforeEach(() => trust({ jwksUri: null }));
  const says = (document: unknown) =>
    provider.answers.set(discovery, (response) => void response.end(JSON.stringify(document)));

  it('says where the keys are', async () => {
    expect(await outcomeOf(await token())).toBe('ada');
    expect(provider.asked).toEqual([discovery, '/keys']);
  });

  it.each<[string, (issuer: string) => unknown]>([
    ['of another issuer', (issuer) => ({ issuer: 'https://other.example', jwks_uri: `${issuer}/keys` })],
    ['of the issuer with a slash', (issuer) => ({ issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` })],
    ['without an issuer', (issuer) => ({ jwks_uri: `${issuer}/keys` })],
    ['without keys', (issuer) => ({ issuer })],
    ['with keys in a file', (issuer) => ({ issuer, jwks_uri: 'file:///keys' })],
    ['with keys in itself', (issuer) => ({ issuer, jwks_uri: 'data:application/json,{"keys":[]}' })],
    ['with keys nowhere', (issuer) => ({ issuer, jwks_uri: 'http://' })],
  ])('%s is not taken', async (_what, document) => {
    says(document(provider.issuer));
    expect(await outcomeOf(await token())).toBe('dependency_unavailable');
    expect(provider.keyReads).toBe(0);
  });

  it('of 50 MB is not read to its end', async () => {
    const { send, sent } = endlessAnswer(50 * 1024 * 1024);
    provider.answers.set(discovery, send);
    expect(await outcomeOf(await token())).toBe('dependency_unavailable');
    expect(sent()).toBeLessThan(8 * 1024 * 1024);
  });
});

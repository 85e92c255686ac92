import { createHmac, createPublicKey } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { CompactEncrypt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { testAudience, TokenIssuer } from '@switchyard/testing';
import { TokenVerifier } from './token-verifier.js';
import type { TrustedIssuer } from './trusted-issuer.js';

let provider: TokenIssuer;
let trusted: TrustedIssuer[];
let verifier: TokenVerifier;
beforeEach(async () => {
  provider = await TokenIssuer.start();
  trusted = [provider.trusted()];
  verifier = new TokenVerifier({ issuers: () => trusted, fetch });
});
afterEach(() => provider.close());

const verify = (jwt: string) => verifier.verify(jwt);
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1_000);
const usual = () => ({ iss: provider.issuer, aud: testAudience, sub: 'ada', exp: seconds() + 300 });

/** Code and text of the refusal. */
async function refusalOf(jwt: string): Promise<{ code: string; message: string }> {
  const error = await verify(jwt).then(
    () => new Error('it was taken'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PlatformError)) throw error;
  return { code: error.code, message: error.message };
}
const refused = (text: RegExp) => ({ code: 'unauthenticated', message: expect.stringMatching(text) });

describe('a token as it should be', () => {
  it('tells who its bearer is', async () => {
    const claims = {
      preferred_username: 'ada',
      email: 'ada@example.com',
      name: 'Ada Lovelace',
      roles: ['engineer', 'admin'],
    };
    expect(await verify(await provider.sign({ claims }))).toMatchObject({
      orgId: 'organization',
      providerId: 'provider',
      issuer: provider.issuer,
      subject: 'ada',
      username: 'ada',
      email: 'ada@example.com',
      displayName: 'Ada Lovelace',
      roles: ['engineer', 'admin'],
      expiresAt: expect.any(Number),
      claims: expect.objectContaining(claims),
    });
  });

  it.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])('may be signed with %s', async (alg) => {
    await provider.addKey('other', alg);
    expect((await verify(await provider.sign({ kid: 'other' }))).subject).toBe('ada');
  });

  it.each([{ typ: 'JWT' }, { typ: 'application/at+jwt' }, { typ: 'AT+JWT' }, { typ: undefined }])(
    'may have the type %j',
    async (header) => {
      expect((await verify(await provider.sign({ header }))).subject).toBe('ada');
    },
  );

  it('may be for several audiences, and of a clock ahead of ours', async () => {
    const claims = { aud: ['other', testAudience], nbf: seconds() + 20, iat: seconds() + 20 };
    expect((await verify(await provider.sign({ claims }))).subject).toBe('ada');
  });

  it('says of each organization its own, by the audience', async () => {
    trusted.push(provider.trusted({ id: 'second', orgId: 'elsewhere', audience: 'two' }));
    expect((await verify(await provider.sign())).orgId).toBe('organization');
    expect((await verify(await provider.sign({ claims: { aud: 'two' } }))).orgId).toBe('elsewhere');
  });
});

describe('a forged token', () => {
  it.each(['none', 'None', 'NONE'])('that is unsigned (%s) is refused', async (alg) => {
    const parts = [encoded({ alg, kid: 'first', typ: 'JWT' }), encoded(usual())];
    for (const signature of ['', 'x', (await provider.sign()).split('.')[2]])
      expect(await refusalOf([...parts, signature].join('.'))).toEqual(refused(/algorithm|signed/));
    expect(provider.asked).toEqual([]);
  });

  it.each(['HS256', 'HS384', 'HS512'])('with the public key as secret (%s) is refused', async (alg) => {
    const [jwk] = provider.published;
    const pem = createPublicKey({ key: jwk as object, format: 'jwk' } as never).export({
      type: 'spki',
      format: 'pem',
    });
    const head = `${encoded({ alg, kid: 'first', typ: 'JWT' })}.${encoded(usual())}`;
    for (const secret of [pem as string, JSON.stringify(jwk), jwk!.n!]) {
      const signature = createHmac(alg.replace('HS', 'sha'), secret).update(head).digest('base64url');
      expect(await refusalOf(`${head}.${signature}`)).toEqual(refused(/algorithm/));
    }
  });

  it('with a shared secret that the set publishes is refused', async () => {
    const secret = Buffer.alloc(32, 7);
    provider.published.push({ kty: 'oct', kid: 'shared', k: secret.toString('base64url'), alg: 'HS256' });
    const jwt = await new SignJWT(usual()).setProtectedHeader({ alg: 'HS256', kid: 'shared' }).sign(secret);
    expect(await refusalOf(jwt)).toEqual(refused(/algorithm/));
  });

  it('that brings its own key is refused', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    for (const header of [
      { jwk },
      { jku: `${provider.issuer}/mine` },
      { x5u: `${provider.issuer}/mine` },
      { x5c: ['AAAA'] },
    ]) {
      const sign = (kid: string) =>
        new SignJWT(usual()).setProtectedHeader({ alg: 'RS256', kid, ...header } as never).sign(privateKey);
      expect(await refusalOf(await sign('first'))).toEqual(refused(/signature/));
      expect(await refusalOf(await sign('mine'))).toEqual(refused(/unknown key/));
    }
    expect(provider.asked).not.toContain('/mine');
  });

  it('of a key of another algorithm is refused', async () => {
    await provider.addKey('curve', 'ES256');
    const jwt = await provider.sign();
    const [, claims, signature] = jwt.split('.');
    const head = encoded({ alg: 'ES256', kid: 'first', typ: 'JWT' });
    expect(await refusalOf([head, claims, signature].join('.'))).toEqual(refused(/key/));
    const swapped = encoded({ alg: 'RS256', kid: 'curve', typ: 'JWT' });
    expect(await refusalOf([swapped, claims, signature].join('.'))).toEqual(refused(/key/));
  });

  it('whose claims were changed is refused', async () => {
    const [head, , signature] = (await provider.sign()).split('.');
    const claims = encoded({ ...usual(), sub: 'root' });
    expect(await refusalOf([head, claims, signature].join('.'))).toEqual(refused(/signature/));
  });

  it('of another issuer’s key is refused', async () => {
    const other = await TokenIssuer.start();
    const jwt = await other.sign({ claims: { iss: provider.issuer } });
    await other.close();
    expect(await refusalOf(jwt)).toEqual(refused(/signature/));
  });

  it.each(['ey', 'ey..', 'eyJ.eyJ.', 'a.b.c', '..', `${'ey'.repeat(3)}.x.y`, 'null.null.null', 'vk_key', ''])(
    'that is garbage is refused: %s',
    async (jwt) => {
      expect((await refusalOf(jwt)).code).toBe('unauthenticated');
    },
  );

  it('that is encrypted is refused', async () => {
    const { publicKey } = await generateKeyPair('ECDH-ES');
    const jwe = await new CompactEncrypt(Buffer.from('{}'))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
      .encrypt(publicKey);
    expect((await refusalOf(jwe)).code).toBe('unauthenticated');
  });
});

describe('a genuine token that is not for us', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['another issuer', { iss: 'https://other.example' }, /issuer is not trusted/],
    ['the issuer with a slash', { iss: 'with-slash' }, /issuer is not trusted/],
    ['no issuer', { iss: undefined }, /no issuer/],
    ['another audience', { aud: 'https://other.example' }, /another audience/],
    ['a longer audience', { aud: `${testAudience}/` }, /another audience/],
    ['no audience', { aud: undefined }, /another audience/],
    ['no expiry', { exp: undefined }, /"exp"/],
    ['an expiry that is no number', { exp: '2100-01-01' }, /"exp"/],
    ['not before later', { nbf: 4_000_000_000 }, /"nbf"/],
    ['an issue time in the future', { iat: 4_000_000_000 }, /future/],
    ['no subject', { sub: undefined }, /"sub"/],
    ['an empty subject', { sub: '' }, /subject/],
    ['a subject with a control character', { sub: 'ada\0' }, /subject/],
    ['a subject that is no text', { sub: 42 }, /sub/],
  ])('with %s is refused', async (_what, claims, text) => {
    const real = claims.iss === 'with-slash' ? { iss: `${provider.issuer}/` } : claims;
    expect(await refusalOf(await provider.sign({ claims: real as never }))).toEqual(refused(text));
  });

  it('past its time is token_expired, without leeway; with a bad signature it is not', async () => {
    const jwt = await provider.sign({ claims: { exp: seconds() - 1 } });
    expect(await refusalOf(jwt)).toMatchObject({ code: 'token_expired' });
    expect(await refusalOf(`${jwt.slice(0, -8)}AAAAAAAA`)).toEqual(refused(/signature/));
    expect(await refusalOf(await provider.sign({ lifetimeSeconds: -3_600 }))).toMatchObject({
      code: 'token_expired',
    });
  });

  it.each([{ typ: 'logout+jwt' }, { typ: 'dpop+jwt' }, { typ: 'secevent+jwt' }, { crit: ['x'], x: 1 }])(
    'with the header %j is refused',
    async (header) => {
      const sign = provider.sign({ header }).catch(() => undefined);
      // jose signs no critical header that it does not know: the attacker would not use it.
      const [, claims, signature] = (await provider.sign()).split('.');
      const forged = [encoded({ alg: 'RS256', kid: 'first', ...header }), claims, signature].join('.');
      expect((await refusalOf((await sign) ?? forged)).code).toBe('unauthenticated');
    },
  );

  it('that two providers claim is refused', async () => {
    trusted.push(provider.trusted({ id: 'second', orgId: 'elsewhere', audience: 'two' }));
    const jwt = await provider.sign({ claims: { aud: [testAudience, 'two'] } });
    expect(await refusalOf(jwt)).toEqual(refused(/more than one organization/));
    trusted[1] = { ...trusted[1]!, enabled: false };
    expect((await verify(jwt)).orgId).toBe('organization');
  });

  it('of a provider that is switched off or gone is refused, from the next token on', async () => {
    const jwt = await provider.sign();
    await verify(jwt);
    trusted[0] = provider.trusted({ enabled: false });
    expect(await refusalOf(jwt)).toEqual(refused(/not trusted/));
    trusted.length = 0;
    expect(await refusalOf(jwt)).toEqual(refused(/not trusted/));
  });

  it('too large is refused before anything is read', async () => {
    const jwt = await provider.sign({ claims: { much: 'x'.repeat(16_384) } });
    expect(await refusalOf(jwt)).toEqual(refused(/too large/));
    expect(provider.asked).toEqual([]);
  });
});

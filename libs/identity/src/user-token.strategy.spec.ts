import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { TokenIssuer } from '@switchyard/testing';
import { TokenVerifier } from './token-verifier.js';
import { UserDirectory } from './user-directory.js';
import { bearerJwt, UserTokenStrategy, userTokenGate } from './user-token.strategy.js';

let provider: TokenIssuer;
let gate: ReturnType<typeof userTokenGate>;
const inactive = new Set<string>();
beforeAll(async () => {
  provider = await TokenIssuer.start();
  const issuers = () => [provider.trusted()];
  const users = new UserDirectory({
    ask: async ({ subject }) => ({
      status: 'known',
      userId: `user ${subject}`,
      active: !inactive.has(subject),
    }),
  });
  gate = userTokenGate(new UserTokenStrategy(new TokenVerifier({ issuers, fetch }), users));
});
afterAll(() => provider.close());

const through = (authorization?: string) =>
  gate({ headers: authorization === undefined ? {} : { authorization } });
const codeOf = (authorization?: string) =>
  through(authorization).then(
    () => 'let in',
    (error: unknown) => (error as PlatformError).code,
  );

describe('the strategy user-token', () => {
  it('lets a user in', async () => {
    const user = await through(`Bearer ${await provider.sign()}`);
    expect(user).toMatchObject({ userId: 'user ada', person: { subject: 'ada' } });
  });

  it('lets each of many in as themself', async () => {
    const subjects = Array.from({ length: 100 }, (_, n) => `s${n}`);
    const users = await Promise.all(
      subjects.map(async (sub) => through(`bearer ${await provider.sign({ claims: { sub } })}`)),
    );
    expect(users.map(({ userId }) => userId)).toEqual(subjects.map((sub) => `user ${sub}`));
  });

  it('says why it lets somebody else not in', async () => {
    inactive.add('gone');
    expect(await codeOf(`Bearer ${await provider.sign({ claims: { sub: 'gone' } })}`)).toBe('user_inactive');
    expect(await codeOf(`Bearer ${await provider.sign({ lifetimeSeconds: -60 })}`)).toBe('token_expired');
    expect(await codeOf(`Bearer ${(await provider.sign()).slice(0, -9)}`)).toBe('unauthenticated');
    for (const other of [undefined, '', 'Bearer', 'Bearer vk_key', `Basic ${await provider.sign()}`])
      expect(await codeOf(other)).toBe('unauthenticated');
  });
});

describe('a bearer', () => {
  it.each<[string | undefined, boolean]>([
    ['Bearer eyJh.eyJp.c2ln', true],
    ['Bearer eyJh.eyJp.', true],
    ['Bearer vk_abc', false],
    ['Bearer ak_abc.def.ghi', false],
    ['Bearer eyJh.e.n.c.t', false],
    ['eyJh.eyJp.c2ln', false],
    [undefined, false],
  ])('%s is a JWT: %s', (authorization, is) => {
    expect(bearerJwt({ headers: { authorization } }) !== undefined).toBe(is);
  });
});

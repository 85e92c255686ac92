import { beforeEach, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import type { UserRecord, UserRecordAnswer } from '@switchyard/contracts';
import type { VerifiedPerson } from './trusted-issuer.js';
import { UserDirectory } from './user-directory.js';

const orgId = '00000000-0000-4000-8000-000000000001';
const ada: VerifiedPerson = {
  orgId,
  providerId: 'p',
  issuer: 'https://id',
  subject: 'ada',
  username: 'ada',
  email: null,
  displayName: null,
  roles: ['engineer'],
  expiresAt: 0,
  claims: { secret: 'canary' },
};
const known = (userId = 'user', active = true): UserRecordAnswer => ({ status: 'known', userId, active });

let now: number;
let asked: UserRecord[];
let answer: () => Promise<UserRecordAnswer>;
let users: UserDirectory;
beforeEach(() => {
  now = 0;
  asked = [];
  answer = async () => known();
  users = new UserDirectory({ ask: (record) => (asked.push(record), answer()), now: () => now });
});
const codeOf = (person = ada) =>
  users.userOf(person).then(
    ({ userId }) => userId,
    (error: unknown) => (error as PlatformError).code,
  );

describe('a user', () => {
  it('is asked for once in a minute, however many ask', async () => {
    await Promise.all([codeOf(), codeOf(), codeOf()]);
    expect(await codeOf()).toBe('user');
    expect(asked).toHaveLength(1);
    expect(JSON.stringify(asked)).not.toContain('canary');
    now = 60_001;
    await codeOf();
    expect(asked).toHaveLength(2);
  });

  it('is asked for by issuer, subject and organization, and again with other roles', async () => {
    for (const other of [
      { subject: 'bob' },
      { issuer: 'https://other' },
      { orgId: '00000000-0000-4000-8000-000000000002' },
      { roles: ['admin'] },
    ])
      await codeOf({ ...ada, ...other });
    expect(asked).toHaveLength(4);
  });

  it('who is inactive is refused until the directory is told', async () => {
    answer = async () => known('user', false);
    expect([await codeOf(), await codeOf()]).toEqual(['user_inactive', 'user_inactive']);
    expect(asked).toHaveLength(1);
    answer = async () => known();
    users.forget('user');
    expect(await codeOf()).toBe('user');
  });

  it('who is forgotten while the question is on its way is asked for again', async () => {
    const { promise, resolve } = Promise.withResolvers<UserRecordAnswer>();
    answer = () => promise;
    const early = codeOf();
    users.forget('user');
    answer = async () => known('user', false);
    expect(await codeOf()).toBe('user_inactive');
    resolve(known());
    expect(await early).toBe('user');
    expect(await codeOf()).toBe('user_inactive');
  });

  it('for whom nobody answers is asked for again', async () => {
    answer = async () => Promise.reject(new PlatformError('queue_unavailable'));
    expect(await codeOf()).toBe('queue_unavailable');
    answer = async () => ({ status: 'refused', error: new PlatformError('not_found').toInfo() });
    expect(await codeOf()).toBe('not_found');
    answer = async () => known();
    expect(await codeOf()).toBe('user');
  });

  it('is one of at most 10,000 that are kept', async () => {
    for (let n = 0; n <= 10_000; n++) await codeOf({ ...ada, subject: `s${n}` });
    await codeOf({ ...ada, subject: 's10000' });
    expect(asked).toHaveLength(10_001);
    await codeOf({ ...ada, subject: 's0' });
    expect(asked).toHaveLength(10_002);
  });
});

import { describe, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID, queues } from '@switchyard/contracts';
import type { UserRecord } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const person = {
  v: 1 as const,
  orgId: DEFAULT_ORGANIZATION_ID,
  issuer: 'https://id.example',
  subject: 'ada',
  username: 'ada',
  email: 'ada@example.com',
  displayName: 'Ada',
  roles: ['engineer'],
} satisfies UserRecord;
const ask = (fields: Partial<UserRecord> = {}) =>
  registry().queue.request(queues.userRecords, { ...person, ...fields }, { timeoutMs: 5_000 });
const rows = (subject: string) =>
  asAdmin(
    registry().database.adminUrl,
    async (client) => (await client.query('SELECT * FROM registry.users WHERE subject = $1', [subject])).rows,
  );

describe('a person who was verified', () => {
  it('is made a user, once, and told of', async () => {
    const [first, ...others] = await Promise.all(Array.from({ length: 10 }, () => ask()));
    expect(first).toEqual({ status: 'known', userId: expect.any(String), active: true });
    for (const other of others) expect(other).toEqual(first);
    const userId = first?.status === 'known' ? first.userId : '';
    const told = () =>
      registry().owners.changes.filter(({ entity, id }) => entity === 'user' && id === userId);
    await eventually(() => told().length === 1);
    expect(told()).toMatchObject([{ change: 'created', orgId: DEFAULT_ORGANIZATION_ID }]);
  });

  it('stays the same user under other names and roles', async () => {
    const before = await ask({ subject: 'bob' });
    const after = await ask({ subject: 'bob', username: 'robert', email: null, roles: ['admin', 'auditor'] });
    expect(after).toEqual(before);
    expect(await rows('bob')).toMatchObject([
      { username: 'robert', email: null, roles: ['admin', 'auditor'], active: true },
    ]);
  });

  it('is another user for another issuer and for another organization', async () => {
    const { id: orgId } = await registry().organization('elsewhere');
    const answers = [
      await ask({ subject: 'eve' }),
      await ask({ subject: 'eve', issuer: 'https://other' }),
      await ask({ subject: 'eve', orgId }),
    ];
    expect(new Set(answers.map((answer) => answer.status === 'known' && answer.userId)).size).toBe(3);
  });

  it('does not become active again by coming again', async () => {
    await ask({ subject: 'gone' });
    await asAdmin(registry().database.adminUrl, (client) =>
      client.query(`UPDATE registry.users SET active = false WHERE subject = 'gone'`),
    );
    expect(await ask({ subject: 'gone', username: 'gone2' })).toMatchObject({
      status: 'known',
      active: false,
    });
  });

  it.each<[string, Partial<UserRecord>, string]>([
    ['of an unknown organization', { orgId: '00000000-0000-4000-8000-00000000ffff' }, 'not_found'],
    ['with text that no database keeps', { subject: 'nul\0' }, 'invalid_request'],
  ])('%s is refused', async (_what, fields, code) => {
    expect(await ask(fields)).toMatchObject({ status: 'refused', error: { code } });
  });

  it('who is seen again changes no snapshot', async () => {
    const version = () =>
      asAdmin(
        registry().database.adminUrl,
        async (client) => (await client.query('SELECT version FROM registry.version')).rows[0].version,
      );
    await ask({ subject: 'again' });
    const before = await version();
    await ask({ subject: 'again', roles: ['other'] });
    expect(await version()).toBe(before);
  });
});

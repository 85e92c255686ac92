import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AuditEvent, queues } from '@switchyard/contracts';
import { createDataSource, Sql } from '@switchyard/database';
import { PeopleHarness, type Person } from '../people-harness-spec.js';
import { operatorKey } from '../token-broker-harness-spec.js';

let people: PeopleHarness;

function event(orgId: string | null, fields: Partial<AuditEvent> = {}): AuditEvent {
  return {
    ...{ orgId, at: Date.now(), action: 'caller_refused', result: 'refused', code: 'unauthenticated' },
    ...{
      actor: { kind: 'anonymous', id: null },
      userId: null,
      integrationId: null,
      callId: null,
      authPath: null,
    },
    ...{ details: { reason: 'a \u0000 \ud800 b', n: 1.5, list: ['x'] }, ...fields },
  } as AuditEvent;
}

function record(events: AuditEvent[]): Promise<{ written: number }> {
  return people.broker.queue.request(queues.auditRecords, { v: 1, events }, { timeoutMs: 10_000 });
}

/** The body, and the HTTP status as `http`. */
async function api(path: string, key = operatorKey): Promise<any> {
  const answer = await fetch(`${people.broker.publicUrl}${path}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  return { http: answer.status, ...((await answer.json()) as object) };
}

/** A chain of ten events of an organization of its own, with the organization's admin key. */
async function chain(): Promise<{ orgId: string; key: string; verify: () => Promise<any> }> {
  const orgId = await people.broker.insertOrganization(`chain-${randomUUID().slice(0, 8)}`);
  const key = `ak_${randomUUID()}`;
  await people.broker.sql.query(
    `INSERT INTO registry.admin_keys (organization_id, key_hash) VALUES ($1, encode(sha256($2::bytea), 'hex'))`,
    [orgId, key],
  );
  await record(Array.from({ length: 10 }, () => event(orgId)));
  return { orgId, key, verify: () => api('/api/audit/verification', key) };
}

/** What somebody could do who owns the database, triggers and all. */
async function tamper(statement: string, values: unknown[]): Promise<void> {
  await people.broker.sql.transaction(async (sql) => {
    await sql.query(`SET LOCAL session_replication_role = replica`);
    await sql.query(statement, values);
  });
}

beforeAll(async () => {
  people = await PeopleHarness.open();
  await Promise.all([people.broker.startBroker(), people.broker.startBroker()]);
}, 120_000);
afterAll(() => people.close());

describe('the audit log', () => {
  it('is one chain without gaps, whichever broker writes, and it verifies', async () => {
    const { orgId, verify } = await chain();
    await Promise.all(Array.from({ length: 40 }, () => record([event(orgId), event(orgId)])));
    expect(await verify()).toMatchObject({ status: 'intact', events: 90 });
  });

  it.each([
    [
      'changed',
      `UPDATE broker.audit_events SET result = 'ok' WHERE chain = $1 AND sequence = 4`,
      4,
      'changed',
    ],
    [
      'backdated',
      `UPDATE broker.audit_events SET at = at - interval '1 hour' WHERE chain = $1 AND sequence = 4`,
      4,
      'changed',
    ],
    ['deleted', `DELETE FROM broker.audit_events WHERE chain = $1 AND sequence = 4`, 4, 'missing'],
    [
      'swapped',
      `UPDATE broker.audit_events SET sequence = CASE sequence WHEN 4 THEN -5 ELSE -4 END WHERE chain = $1 AND sequence IN (4, 5)`,
      4,
      'missing',
    ],
    [
      'cut off at the end',
      `DELETE FROM broker.audit_events WHERE chain = $1 AND sequence > 8`,
      9,
      'shortened',
    ],
    [
      'cut off with the head moved back',
      `WITH gone AS (DELETE FROM broker.audit_events WHERE chain = $1 AND sequence > 8)
       UPDATE broker.audit_heads SET sequence = 8, hash = (SELECT hash FROM broker.audit_events WHERE chain = $1 AND sequence = 8)
       WHERE chain = $1`,
      8,
      'head_forged',
    ],
    ['left without its head', `DELETE FROM broker.audit_heads WHERE chain = $1`, 1, 'head_missing'],
  ])('that was %s is found out, with the first broken event', async (_what, statement, firstBroken, why) => {
    const { orgId, verify } = await chain();
    await tamper(statement, [orgId]);
    expect(await verify()).toMatchObject({ status: 'broken', first_broken: firstBroken, why });
  });

  it('can be added to by the broker’s role, and neither changed nor deleted', async () => {
    const source = await createDataSource({
      url: people.broker.database.urls['token-broker'],
      schema: 'vault',
      applicationName: 'test',
    }).initialize();
    const sql = new Sql(source);
    try {
      for (const statement of [
        `UPDATE broker.audit_events SET result = 'ok'`,
        `DELETE FROM broker.audit_events`,
        `TRUNCATE broker.audit_events`,
        `DELETE FROM broker.audit_heads`,
      ])
        await expect(sql.query(statement)).rejects.toMatchObject({ driverError: { code: '42501' } });
    } finally {
      await source.destroy();
    }
  });

  it('refuses a lease that it cannot write down, and takes it up again', async () => {
    const integrationId = await people.broker.insertIntegration('none');
    await people.broker.sql.query(`ALTER TABLE broker.audit_events RENAME TO audit_events_away`);
    const refused = await people.broker.lease(integrationId);
    await people.broker.sql.query(`ALTER TABLE broker.audit_events_away RENAME TO audit_events`);
    expect(refused).toMatchObject({ status: 'refused', error: { code: 'dependency_unavailable' } });
    expect(await people.broker.lease(integrationId)).toMatchObject({ status: 'granted' });
  });
});

describe('/api/audit', () => {
  it('filters, and pages from the latest on', async () => {
    const { orgId, key } = await chain();
    const callId = randomUUID();
    await record([event(orgId, { callId, action: 'lease_refused', at: Date.now() - 3_600_000 })]);
    expect((await api(`/api/audit?call_id=${callId}`, key)).items).toHaveLength(1);
    expect((await api(`/api/audit?action=lease_refused&result=refused`, key)).items).toHaveLength(1);
    const told = event(orgId, {
      authPath: 'service_user',
      code: 'needs_reauth',
      actor: { kind: 'user', id: callId },
    });
    await record([told]);
    for (const filter of [`actor_id=${callId}`, 'auth_path=service_user', 'code=needs_reauth'])
      expect((await api(`/api/audit?${filter}`, key)).items).toMatchObject([{ code: 'needs_reauth' }]);
    const hourAgo = new Date(Date.now() - 1_800_000).toISOString();
    expect((await api(`/api/audit?to=${hourAgo}`, key)).items).toHaveLength(1);
    const first = await api(`/api/audit?limit=6`, key);
    const second = await api(`/api/audit?limit=6&cursor=${first.next_cursor}`, key);
    const sequences = [...first.items, ...second.items].map(({ sequence }: any) => sequence);
    expect(sequences).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(second.next_cursor).toBeNull();
    expect((await api(`/api/audit?action=nonsense`, key)).http).toBe(400);
  });

  it('shows an organization its own events alone, and the platform’s to the operator alone', async () => {
    const [mine, theirs] = [await chain(), await chain()];
    const shown = await api('/api/audit?limit=200', mine.key);
    const ids = shown.items.map(({ id }: any) => id);
    const others = await api('/api/audit?limit=200', theirs.key);
    expect(others.items.some(({ id }: any) => ids.includes(id))).toBe(false);
    expect((await api('/api/audit?chain=platform', mine.key)).http).toBe(403);
    await record([event(null)]);
    expect((await api('/api/audit?chain=platform')).items.length).toBeGreaterThan(0);
    expect((await api('/api/audit/verification?chain=platform')).status).toBe('intact');
  });

  it('is for admins and auditors', async () => {
    const status = async (person: Person) => (await person.get('/api/audit')).status;
    const [alice, bob, carol] = [
      await people.person('alice'),
      await people.person('bob'),
      await people.person('carol'),
    ];
    expect([await status(alice), await status(bob), await status(carol)]).toEqual([200, 403, 200]);
    expect((await fetch(`${people.broker.publicUrl}/api/audit`)).status).toBe(401);
    expect((await api('/api/audit', 'ak_nobody')).http).toBe(401);
  });
});

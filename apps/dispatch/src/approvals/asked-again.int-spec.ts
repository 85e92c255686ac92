import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApprovalTerms, type ToolCallJob } from '@switchyard/contracts';
import { askApproval, type AskedApproval, type Sql } from '@switchyard/database';
import { eventually } from '@switchyard/testing';
import { type CallOptions, DispatchHarness } from '../dispatch-harness-spec.js';

const policyVersion = 'a'.repeat(64);

/** The rows alone: no queue has a part in it. */
describe('a call that is made again', () => {
  let harness: DispatchHarness;
  let integrationId: string;
  beforeAll(async () => {
    harness = await DispatchHarness.open({ kind: 'postgres', url: () => '' });
    const tool = { name: 'write', inputSchema: { type: 'object' } };
    integrationId = await harness.insertIntegration('up', { type: 'http', url: 'http://127.0.0.1:9/' }, [
      tool,
    ]);
  }, 120_000);
  afterAll(() => harness?.close());

  const job = (id: string, options: CallOptions = {}): ToolCallJob =>
    harness.job(integrationId, 'up_write', { id }, { ledgerFirst: true, deadlineMs: 600_000, ...options });
  const ask = (
    id: string,
    {
      sql = harness.sql,
      version = policyVersion,
      ...options
    }: CallOptions & { sql?: Sql; version?: string } = {},
  ): Promise<AskedApproval & { isNew: boolean }> => {
    const made = job(id, options);
    const wish = { policyVersion: version, deadlineMs: 1_000, terms: ApprovalTerms.parse({}) };
    return askApproval(sql, { job: made, integrationSlug: 'up' }, wish).then((asked) => ({
      ...asked,
      isNew: asked.callId === made.sealed.call.callId,
    }));
  };
  const change = (callId: string, columns: string) =>
    harness.sql.query(`UPDATE dispatch.approvals SET ${columns} WHERE call_id = $1`, [callId]);

  it('finds the approval that waits, and what was decided once', async () => {
    const first = await ask('once');
    expect(first).toMatchObject({ state: 'pending', isNew: true });
    expect(await ask('once')).toMatchObject({ callId: first.callId, state: 'pending', isNew: false });
    await change(first.callId, `state = 'approved', decided_at = now()`);
    expect(await ask('once')).toMatchObject({ callId: first.callId, state: 'approved' });
    expect(await ask('once')).toMatchObject({ state: 'pending', isNew: true });
  });

  it('waits for the same call that is being made, and finds its approval', async () => {
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const first = harness.sql.transaction(async (sql) => {
      const answer = await ask('raced', { sql });
      asked();
      await mayEnd;
      return answer;
    });
    await isAsked;
    const second = ask('raced');
    await eventually(async () => {
      const waiting = await harness.sql.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
      );
      return waiting.length > 0;
    });
    end();
    expect((await second).callId).toBe((await first).callId);
    expect((await second).isNew).toBe(false);
  });

  it.each<[string, string]>([
    ['has expired', `expires_at = now() - interval '1 second'`],
    ['expired and was swept', `state = 'expired'`],
    ['was cancelled', `state = 'cancelled'`],
    ['is stale', `state = 'stale', decided_at = now()`],
    ['was decided more than a day ago', `state = 'approved', decided_at = now() - interval '25 hours'`],
    ['was asked for in a run', `run_id = gen_random_uuid()`],
    ['was asked for by an agent', `agent_id = gen_random_uuid()`],
  ])('asks anew where the one before %s', async (what, columns) => {
    const { callId } = await ask(what);
    await change(callId, columns);
    expect(await ask(what)).toMatchObject({ state: 'pending', isNew: true });
  });

  it.each<[string, CallOptions & { version?: string }]>([
    ['another policy', { version: 'b'.repeat(64) }],
    ['another face', { lane: 'background' }],
    ['another user', { caller: { kind: 'user', userId: '0197e6a0-0000-7000-8000-00000000e001' } }],
    [
      'an OAuth client of the same caller',
      { caller: { oauthGrantId: '0197e6a0-0000-7000-8000-00000000e002' } },
    ],
    ['the address of a toolset', { caller: { toolsetId: '0197e6a0-0000-7000-8000-00000000e003' } }],
    ['another tool of the name', { own: 'other' }],
  ])('asks anew under %s', async (what, options) => {
    await ask(what);
    expect(await ask(what, options)).toMatchObject({ state: 'pending', isNew: true });
  });

  it('is refused as one that waits where it is not ledger-first, or says not what for', async () => {
    await expect(ask('direct', { ledgerFirst: false })).rejects.toThrow(/is ledger-first/);
    await expect(harness.accept(job('bare'), 'awaiting_approval')).rejects.toThrow(/says what for/);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID, type ToolCallJob } from '@switchyard/contracts';
import { onBothQueueBackends } from '@switchyard/testing';
import { ApprovalsBench } from './approvals-harness-spec.js';

const admin = { decider: { kind: 'admin' } } as const;
const tool = 'up_count-side-effect';

onBothQueueBackends('an approval of what is no longer the same', (backend) => {
  let bench: ApprovalsBench;
  const sql = (text: string, params: unknown[]) => bench.harness.sql.query(text, params);
  beforeAll(async () => {
    bench = await ApprovalsBench.open(backend);
    await bench.startWorker();
  }, 120_000);
  afterAll(() => bench?.close());

  async function expectStale(job: ToolCallJob, id: string): Promise<void> {
    expect(await bench.decide(job, admin)).toMatchObject({
      status: 'refused',
      error: { code: 'approval_stale' },
    });
    expect(await bench.standing(job)).toMatchObject({
      ...{ state: 'stale', status: 'denied', error_code: 'approval_stale', started_at: null },
    });
    expect(await bench.decide(job, admin)).toMatchObject({
      status: 'refused',
      error: { code: 'conflict', details: { state: 'stale' } },
    });
    expect(bench.timesRun(id)).toBe(0);
  }

  it.each([
    ['is to be cancelled', 'running', 'cancel_requested_at'],
    ['has ended', 'cancelled', 'ended_at'],
  ])('of a run that %s is refused, and only of such a run', async (what, state, column) => {
    const addRun = async (orgId: string, columns: string) => {
      const runId = randomUUID();
      await sql(
        `INSERT INTO runs.runs (id, org_id, agent_id, caller, input, state${columns && `, ${columns}`})
         VALUES ($1, $2, $1, '{}', '{}', $3${columns && ', now()'})`,
        [runId, orgId, columns ? state : 'waiting_approval'],
      );
      return runId;
    };
    const ask = (id: string, runId: string) => bench.ask(tool, { args: { id }, runId });
    await expectStale(await ask(what, await addRun(DEFAULT_ORGANIZATION_ID, column)), what);
    await expectStale(await ask(`was removed, and ${what}`, randomUUID()), `was removed, and ${what}`);
    for (const runId of [await addRun(DEFAULT_ORGANIZATION_ID, ''), await addRun(randomUUID(), column)]) {
      const job = await ask(runId, runId);
      expect(await bench.decide(job, admin)).toMatchObject({ status: 'decided', state: 'approved' });
    }
  });

  it.each<[string, (job: ToolCallJob) => Promise<unknown>]>([
    [
      'arguments in the row',
      ({ sealed }) =>
        sql(
          `UPDATE dispatch.tool_calls SET arguments = '{"id":"arguments in the row","to":"mallory"}' WHERE call_id = $1`,
          [sealed.call.callId],
        ),
    ],
    [
      'a caller under the old seal',
      ({ sealed }) =>
        sql(
          `UPDATE dispatch.tool_calls SET sealed = jsonb_set(sealed, '{call,caller,roles}', '["root"]') WHERE call_id = $1`,
          [sealed.call.callId],
        ),
    ],
    [
      'another call with a seal of its own',
      async ({ sealed }) => {
        const other = await bench.ask(tool, { args: { id: 'swapped' } });
        await sql(
          `UPDATE dispatch.tool_calls SET sealed = $2, arguments = '{"id":"swapped"}' WHERE call_id = $1`,
          [sealed.call.callId, JSON.stringify(other.sealed)],
        );
      },
    ],
    [
      'the settings of the integration',
      () =>
        sql(
          `UPDATE registry.integrations SET version = version + 1, default_policy = 'auto_execute' WHERE id = $1`,
          [bench.integrationId],
        ),
    ],
    [
      'what the vendor says of the tool',
      async () => {
        await sql(
          `UPDATE catalog.external_mcp_tools SET wire_sha256 = gen_random_uuid() WHERE integration_id = $1 AND name = 'count-side-effect'`,
          [bench.integrationId],
        );
        await sql('UPDATE catalog.integration_states SET version = version + 1 WHERE integration_id = $1', [
          bench.integrationId,
        ]);
        await sql('UPDATE catalog.version SET version = version + 1', []);
      },
    ],
  ])('is refused where it changed: %s', async (what, change) => {
    const job = await bench.ask(tool, { args: { id: what } });
    await change(job);
    await expectStale(job, what);
  });

  it('is refused where the user who asked was deactivated', async () => {
    const caller = await bench.callerOf('leaver');
    const job = await bench.ask(tool, { args: { id: 'leaver' }, caller });
    await sql('UPDATE registry.users SET active = false WHERE id = $1', [caller.userId]);
    await expectStale(job, 'leaver');
  });

  it('is refused where the key that asked was revoked', async () => {
    const keyId = randomUUID();
    await bench.harness.insertKey(keyId);
    const job = await bench.ask(tool, { args: { id: 'key' }, keyId });
    await sql('UPDATE registry.virtual_keys SET revoked_at = now() WHERE id = $1', [keyId]);
    await expectStale(job, 'key');
  });

  it('is refused where a policy denies the user the tool by now', async () => {
    const caller = await bench.callerOf('denied-user');
    const job = await bench.ask(tool, { args: { id: 'policy' }, caller });
    const [policy] = await sql(
      `INSERT INTO registry.policies (id, organization_id, name, matchers, mcp_configs, effect, priority)
       SELECT $1, organization_id, 'no', '[]', $2, 'deny', 10 FROM registry.integrations WHERE id = $3 RETURNING id`,
      [
        randomUUID(),
        JSON.stringify([{ mcp_client_name: 'up', tools_to_execute: ['count-side-effect'] }]),
        bench.integrationId,
      ],
    );
    await expectStale(job, 'policy');
    await sql('DELETE FROM registry.policies WHERE id = $1', [policy?.['id']]);
  });

  it.each([
    ['of another policy', `SET execution = '{"default":"require_approval","tools":{}}'`],
    ['no grant of it', `SET grants = '[]'`],
    ['switched off', `SET is_active = false`],
  ])('is refused where its agent is by now: %s', async (what, change) => {
    const agentId = await addAgent();
    const caller = {
      kind: 'service',
      userId: null,
      virtualKeyId: null,
      runKind: 'schedule',
      agentId,
    } as const;
    const job = await bench.ask(tool, { args: { id: what }, caller, lane: 'background' });
    await sql(`UPDATE registry.agents ${change} WHERE id = $1`, [agentId]);
    await expectStale(job, what);
  });

  it('is none where nothing changed that it depends on', async () => {
    const agentId = await addAgent();
    const caller = {
      kind: 'service',
      userId: null,
      virtualKeyId: null,
      runKind: 'schedule',
      agentId,
    } as const;
    const job = await bench.ask(tool, { args: { id: 'same' }, caller, lane: 'background' });
    // A new name is no other policy.
    await sql(`UPDATE registry.agents SET name = 'Other', version = version + 1 WHERE id = $1`, [agentId]);
    expect(await bench.decide(job, admin)).toMatchObject({ status: 'decided', state: 'approved' });
    expect(await bench.ended(job)).toMatchObject({
      status: 'completed',
      run_kind: 'schedule',
      lane: 'background',
    });
    expect(bench.timesRun('same')).toBe(1);
  });

  async function addAgent(): Promise<string> {
    const id = randomUUID();
    await sql(
      `INSERT INTO registry.agents (id, organization_id, slug, name, instructions, model, grants, execution, approval, chat_access,
         max_depth, tool_deadline_ms, mixed_turn, unattended_approval, agentic_mode)
       SELECT $1, organization_id, 'a' || left(gen_random_uuid()::text, 8), 'Agent', '', '{"provider":"demo","model":"demo"}', $2,
         '{"default":null,"tools":{}}', approval, '{}',
         10, 30000, 'run_auto', 'park', true
       FROM registry.integrations WHERE id = $3`,
      [id, JSON.stringify([{ mcp_client_name: 'up' }]), bench.integrationId],
    );
    return id;
  }
});

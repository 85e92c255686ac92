import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { AgentDefinition } from '@switchyard/contracts';
import type { RunningService } from '@switchyard/service-kit';
import { onBothQueueBackends } from '@switchyard/testing';
import { ChatRunsRepository } from '../chat/chat-runs.repository.js';
import { RunnerHarness } from '../runner-harness-spec.js';
import { RunRetention } from './run-retention.service.js';

onBothQueueBackends('runs that are past their time', (backend) => {
  let harness: RunnerHarness;
  let runner: RunningService;
  let agent: AgentDefinition;
  const userId = randomUUID();

  beforeAll(async () => {
    harness = await RunnerHarness.open(backend);
    await harness.addTools(['add']);
    harness.script([
      { when: { step: 0 }, answer: { tool_calls: [{ name: 'up_add' }] } },
      { answer: { text: 'Done.' } },
    ]);
    runner = await harness.startRunner({
      AGENT_RUNNER_RUN_RETENTION_DAYS: '10',
      AGENT_RUNNER_CONVERSATION_RETENTION_DAYS: '20',
    });
    agent = await harness.addAgent();
  }, 120_000);
  afterAll(() => harness.close());

  const clean = () => runner.app.get(RunRetention).clean();
  const run = async (conversationId?: string) => {
    const runId = await harness.start(agent, 'go', {
      conversationId,
      caller: harness.caller({ userId, runKind: conversationId ? 'chat' : 'webhook' }),
    });
    await harness.ended(runId);
    return runId;
  };
  const age = async (days: number, ...runIds: string[]) => {
    await harness.sql.query(
      'UPDATE runs.runs SET ended_at = now() - make_interval(days => $1::int) WHERE id = ANY($2)',
      [days, runIds],
    );
  };
  const quietSince = (days: number, conversationId: string) =>
    harness.sql.query(
      'UPDATE runs.conversations SET updated_at = now() - make_interval(days => $1::int) WHERE id = $2',
      [days, conversationId],
    );
  const left = async (table: string, column: string, ids: string[]) =>
    (
      await harness.sql.query<{ id: string }>(
        `SELECT DISTINCT ${column} AS id FROM runs.${table} WHERE ${column} = ANY($1)`,
        [ids],
      )
    )
      .map(({ id }) => id)
      .sort();

  it('go with their steps and calls, and leave the younger ones', async () => {
    const [old, young] = [await run(), await run()];
    await age(11, old);
    await age(9, young);
    await clean();
    for (const table of ['run_steps', 'run_calls'])
      expect(await left(table, 'run_id', [old, young])).toEqual([young]);
    expect(await left('runs', 'id', [old, young])).toEqual([young]);
  });

  it('stay while they have not ended, and go by more than one batch', async () => {
    const open = await harness.start(agent, 'go', { trigger: { id: randomUUID(), isHeld: true } });
    await harness.sql.query(`UPDATE runs.runs SET created_at = now() - interval '1 year' WHERE id = $1`, [
      open,
    ]);
    const many = Array.from({ length: 1_200 }, () => randomUUID());
    await harness.sql.query(
      `INSERT INTO runs.runs (id, org_id, agent_id, caller, input, state, ended_at)
       SELECT id, $2, $3, '{}', '{}', 'completed', now() - interval '11 days' FROM unnest($1::uuid[]) AS id`,
      [many, agent.orgId, agent.id],
    );
    await clean();
    expect(await left('runs', 'id', [open, ...many])).toEqual([open]);
  });

  it('of a conversation go with it, whole, when nothing was said in it for long', async () => {
    const [quiet, alive] = [randomUUID(), randomUUID()];
    const gone = [await run(quiet), await run(quiet)];
    const kept = [await run(alive), await run(alive)];
    await age(30, ...gone, ...kept.slice(0, 1));
    await quietSince(30, quiet);
    await clean();
    expect(await left('conversations', 'id', [quiet, alive])).toEqual([alive]);
    expect(await left('runs', 'id', [...gone, ...kept])).toEqual([...kept].sort());
    for (const table of ['messages', 'run_steps', 'run_calls'])
      expect(await left(table, 'run_id', [...gone, ...kept])).toEqual([...kept].sort());
  });

  it('of a conversation that its user took away are kept as long as if they had not', async () => {
    const [younger, older] = [randomUUID(), randomUUID()];
    const runIds = [await run(younger), await run(older)];
    await age(15, runIds[0] ?? '');
    await age(21, runIds[1] ?? '');
    for (const id of [younger, older]) await runner.app.get(ChatRunsRepository).remove(id);
    await clean();
    expect(await left('runs', 'id', runIds)).toEqual([runIds[0]]);
  });

  it('are outlived by what began them: a delivery that comes again is known, and a time does not run twice', async () => {
    const runId = await run();
    const [webhook, schedule] = [randomUUID(), randomUUID()];
    await harness.sql.query(
      'INSERT INTO runs.webhook_deliveries (webhook_id, replay_key, org_id, run_id) VALUES ($1, $2, $3, $4)',
      [webhook, 'x', agent.orgId, runId],
    );
    const time = `INSERT INTO runs.schedule_times (schedule_id, due_at, org_id, outcome, run_id, created_at)
      VALUES ($1, $2, $3, 'started', $4, $2)`;
    await harness.sql.query(time, [schedule, new Date(), agent.orgId, runId]);
    await harness.sql.query(time, [schedule, new Date(Date.now() - 11 * 86_400_000), agent.orgId, runId]);
    await age(11, runId);
    await clean();
    expect(await left('runs', 'id', [runId])).toEqual([]);
    expect(await left('webhook_deliveries', 'webhook_id', [webhook])).toEqual([webhook]);
    const times = 'SELECT 1 FROM runs.schedule_times WHERE schedule_id = $1';
    expect(await harness.sql.query(times, [schedule])).toHaveLength(1);
  });
});

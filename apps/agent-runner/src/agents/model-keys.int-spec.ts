import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type AgentDefinition, queues } from '@switchyard/contracts';
import { lockModelKey } from '@switchyard/database';
import { type ScriptedModel, startScriptedModel } from '@switchyard/demo-model';
import { eventually, onBothQueueBackends } from '@switchyard/testing';
import { HistoryRepository } from '../history/history.repository.js';
import { RunnerHarness } from '../runner-harness-spec.js';
import { WatchedRunsRepository } from '../watch/watched-runs.repository.js';

onBothQueueBackends('the key of an agent’s model', (backend) => {
  let harness: RunnerHarness;
  let other: ScriptedModel;

  beforeAll(async () => {
    harness = await RunnerHarness.open(backend);
    other = await startScriptedModel({ turns: [] });
    await harness.addTools(['add']);
    await harness.startRunner();
    harness.queue.consume(queues.auditRecords, async ({ events }) => ({ written: events.length }), {
      concurrency: 1,
    });
  }, 120_000);
  beforeEach(() => {
    harness.leases.length = 0;
    harness.beforeLease = async () => undefined;
    harness.act = async () => ({ text: 'ran' });
    harness.script([
      { when: { step: 0 }, answer: { tool_calls: [{ name: 'up_add' }] } },
      { when: { step: 1 }, answer: { text: 'Done.', usage: { prompt_tokens: 3e9, completion_tokens: 1 } } },
    ]);
  });
  afterAll(async () => {
    await harness?.close();
    await other?.close();
  });

  /** As the registry commits another definition. */
  const moveModel = ({ id, model }: AgentDefinition, changes: Record<string, unknown>, sql = harness.sql) =>
    sql.query('UPDATE registry.agents SET model = $2, version = version + 1 WHERE id = $1', [
      ...[id, { ...model, ...changes }],
    ]);
  const denied = { state: 'failed', error: { code: 'model_denied' } };
  const keyLeases = () => harness.leases.filter(({ kind }) => kind === 'model_key').length;
  /** A run in whose first call the agent is changed so. */
  const changedMidway = async (change: (agent: AgentDefinition) => Promise<unknown>) => {
    const agent = await harness.addAgent({ agenticMode: true });
    harness.act = async () => {
      await change(agent);
      return { text: 'ran' };
    };
    return harness.ended(await harness.start(agent));
  };

  it('is not asked for, nor sent, once the model is at another address or provider', async () => {
    for (const changes of [
      { base_url: other.baseUrl },
      { base_url: `${harness.model.baseUrl}/tenant` },
      { provider: 'openai' },
    ]) {
      harness.leases.length = 0;
      const { steps } = await changedMidway((agent) => moveModel(agent, changes));
      expect(steps.at(-1)?.error).toMatchObject({
        ...{ code: 'model_denied', message: expect.stringContaining('begin a new run') },
      });
      expect(keyLeases()).toBe(1);
      expect(harness.model.requests()).toHaveLength(1);
      harness.model.reset({ turns: [{ when: { step: 0 }, answer: { tool_calls: [{ name: 'up_add' }] } }] });
    }
  });

  it('is asked for anew, and sent, where only the rest of the definition is another', async () => {
    const { run, steps } = await changedMidway((agent) => moveModel(agent, { temperature: 1 }));
    expect(run).toMatchObject({ state: 'completed', output: { text: 'Done.' } });
    expect(keyLeases()).toBe(2);
    expect(steps).toHaveLength(2);
  });

  it('is not sent where the model moves while the vault is asked, though the registry commits later', async () => {
    const agent = await harness.addAgent();
    const committed = Promise.withResolvers<void>();
    let moving: Promise<void> | undefined;
    harness.beforeLease = async () => {
      const held = Promise.withResolvers<void>();
      moving ??= harness.sql.transaction(async (sql) => {
        await lockModelKey(sql, agent.id, 'exclusive');
        held.resolve();
        await moveModel(agent, { base_url: other.baseUrl }, sql);
        await committed.promise;
      });
      await held.promise;
    };
    const runId = await harness.start(agent);
    await eventually(async () => {
      const waiting = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`;
      return (await harness.sql.query(waiting)).length > 0;
    });
    committed.resolve();
    await moving;
    expect((await harness.ended(runId)).run).toMatchObject(denied);
    expect(harness.model.requests()).toEqual([]);
  });

  it('tokens beyond 32 bits are counted and told', async () => {
    const { run, steps } = await harness.ended(await harness.start(harness.addAgent()));
    expect(run.state).toBe('completed');
    expect(steps.at(-1)?.answer?.usage.inputTokens).toBe(3e9);
    const history = new HistoryRepository(harness.sql);
    const [row] = await history.runs({ where: 'r.id = $1', params: [run.id] }, 1);
    expect(row?.inputTokens).toBeGreaterThanOrEqual(3e9);
    expect((await history.steps([run.id])).at(-1)).toMatchObject({ inputTokens: 3e9, outputTokens: 1 });
    const watched = await new WatchedRunsRepository(harness.sql).find(harness.orgId, run.id);
    expect(watched?.usage.input_tokens).toBe(row?.inputTokens);
    const most = Number.MAX_SAFE_INTEGER;
    await harness.sql.query('UPDATE runs.run_steps SET input_tokens = $2 WHERE run_id = $1', [run.id, most]);
    expect((await history.runs({ where: 'r.id = $1', params: [run.id] }, 1))[0]?.inputTokens).toBe(most);
  });
});

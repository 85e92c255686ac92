import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Sql } from '@switchyard/database';
import { eventually, onBothQueueBackends } from '@switchyard/testing';
import { RunnerHarness } from '../runner-harness-spec.js';
import { EndedCalls } from './ended-calls.service.js';

onBothQueueBackends('ends of calls', (backend) => {
  let harness: RunnerHarness;

  beforeAll(async () => {
    harness = await RunnerHarness.open(backend);
    await harness.addTools(['add']);
    harness.script([
      { when: { step: 0 }, answer: { tool_calls: [{ name: 'up_add' }] } },
      { when: { step: 1 }, answer: { text: 'Done.' } },
    ]);
  }, 120_000);
  afterAll(() => harness.close());

  it('are read once, results and all, however long who watches them takes', async () => {
    const { app } = await harness.startRunner();
    const { calls } = await harness.ended(await harness.start(harness.addAgent()));
    const ended = app.get(EndedCalls, { strict: false });
    const query = jest.spyOn(app.get(Sql, { strict: false }), 'query');
    const asked = async (what: string) => {
      const rows = await Promise.all(
        query.mock.results.flatMap(({ value }, at) =>
          query.mock.calls[at]?.[0].includes('dispatch.v_calls') ? [value as Promise<object[]>] : [],
        ),
      );
      return rows.filter((found) => what === 'looks' || found.some((row) => what in row)).length;
    };
    const open = ended.watch(randomUUID());
    const watched = ended.watch(calls[0]!.callId);
    expect(await watched.ended).toMatchObject({ status: 'completed' });
    const looks = await asked('looks');
    await eventually(async () => (await asked('looks')) >= looks + 2);
    expect(await asked('result')).toBe(1);
    watched.stop();
    open.stop();
    query.mockRestore();
  });
});

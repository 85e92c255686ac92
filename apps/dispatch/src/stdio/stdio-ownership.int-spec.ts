import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  type QuestionAnswer,
  stdioPriority,
  stdioQueue,
  type ToolCallEvent,
  type ToolCallOutcome,
  topics,
} from '@switchyard/contracts';
import { sealAnswer } from '@switchyard/queue';
import type { RunningService } from '@switchyard/service-kit';
import { eventually, onBothQueueBackends, stdioFixturePath } from '@switchyard/testing';
import { DispatchHarness } from '../dispatch-harness-spec.js';

const unsafe = ['pid', 'exit', 'hang', 'ask', 'touch'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
}));
const safe = ['echo', 'linger'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
  annotations: { readOnlyHint: true },
}));

function textOf(outcome: ToolCallOutcome): string {
  return outcome.status === 'completed'
    ? String(outcome.result.content?.[0]?.['text'])
    : JSON.stringify(outcome);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function unexpected(outcome: ToolCallOutcome): never {
  throw new Error(`ended before it asked: ${textOf(outcome)}`);
}

onBothQueueBackends('a stdio integration', (backend) => {
  let harness: DispatchHarness;
  let integrationId: string;
  let workers: RunningService[];

  beforeAll(async () => {
    harness = await DispatchHarness.open(backend);
    integrationId = await harness.insertIntegration('up', { type: 'stdio', command: 'fixture', args: [] }, [
      ...unsafe,
      ...safe,
    ]);
    const allowlist = join(mkdtempSync(join(tmpdir(), 'switchyard-')), 'allowlist.json');
    writeFileSync(
      allowlist,
      JSON.stringify([
        {
          name: 'fixture',
          command: process.execPath,
          args: [stdioFixturePath()],
          argument_pattern: '--again',
        },
        { name: 'missing', command: '/nowhere/server' },
        { name: 'quits', command: process.execPath, args: ['--eval', 'process.exit(1)'] },
      ]),
    );
    const settings = { SWITCHYARD_STDIO_ALLOWLIST: allowlist, DISPATCH_STDIO_STRAY: '3s' };
    workers = [await harness.startWorker(settings), await harness.startWorker(settings)];
  }, 120_000);
  afterAll(() => harness?.close());

  const pid = async (): Promise<number> => Number(textOf(await harness.call(integrationId, 'up_pid')));

  it('has one child for the whole fleet, whichever worker takes the call', async () => {
    const pids = await Promise.all(Array.from({ length: 20 }, pid));
    expect(new Set(pids).size).toBe(1);
    expect(isAlive(pids[0] ?? 0)).toBe(true);
  });

  it('writes down the process of its child, that of a new one, and none while none runs', async () => {
    const written = async () =>
      (
        await harness.sql.query<{ pid: number | null; started_at: Date | null }>(
          'SELECT pid, started_at FROM dispatch.v_stdio_processes WHERE integration_id = $1',
          [integrationId],
        )
      )[0];
    const first = await pid();
    const row = await eventually(async () => (await written())?.pid === first && (await written()));
    expect(Date.now() - Number(row?.started_at)).toBeLessThan(60_000);
    process.kill(first, 'SIGKILL');
    await eventually(async () => (await written())?.pid === null);
    const second = await pid();
    await eventually(async () => (await written())?.pid === second);
  });

  it('answers lists and pings of others over the same queue', async () => {
    const queue = stdioQueue(integrationId);
    const ping = { v: 1 as const, op: 'ping' as const, timeoutMs: 5_000 };
    expect(
      await harness.queue.request(queue, ping, { timeoutMs: 8_000, priority: stdioPriority.ping }),
    ).toEqual({ status: 'alive' });
    const listed = await harness.queue.request(
      queue,
      { v: 1, op: 'list', timeoutMs: 5_000 },
      { timeoutMs: 8_000, priority: stdioPriority.list },
    );
    expect(listed).toMatchObject({
      status: 'listed',
      upstream: { era: 'legacy' },
      // This child knows no templates, which is no failure.
      features: { prompts: [], resources: [{ uri: 'stdio://note' }], templates: [], problems: [] },
    });
  });

  /** A call that is under way until its question is answered. */
  const underWay = async (name: string) => {
    const client = { capabilities: { elicitation: {} }, activeMs: 1_500 };
    const job = harness.job(integrationId, 'up_ask', { message: name }, { client, deadlineMs: 600_000 });
    const { callId, acceptedAt } = job.sealed.call;
    const question = Promise.withResolvers<{ questionId: string; params: object }>();
    const outcome = harness.send(job, (event) => {
      if ((event as ToolCallEvent).kind === 'question') question.resolve(event as never);
    });
    const { questionId, params } = await Promise.race([question.promise, outcome.then(unexpected)]);
    const end = async () => {
      const answer: QuestionAnswer = { result: { action: 'accept', content: { to: params } } };
      const seal = sealAnswer(harness.sealer, { id1: callId, id2: questionId, answer });
      await harness.queue.publish(topics.questionAnswered, { callId, questionId, answer, seal });
      return textOf(await outcome);
    };
    return { acceptedAt, end };
  };

  /** Three more, so that both workers own two of four. */
  const insertOthers = async () => {
    const ids = await Promise.all(
      ['up-2', 'up-3', 'up-4'].map((slug) =>
        harness.insertIntegration(slug, { type: 'stdio', command: 'fixture', args: [] }, unsafe),
      ),
    );
    const owners = await eventually(async () => {
      const rows = await harness.sql.query<{ worker_id: string }>(
        'SELECT worker_id FROM dispatch.stdio_owners',
      );
      return rows.length === 4 ? rows.map((row) => row.worker_id) : undefined;
    });
    return { ids, owners };
  };
  const deleteOthers = async (ids: string[]) => {
    await harness.sql.query('DELETE FROM registry.integrations WHERE id = ANY($1)', [ids]);
    await eventually(
      async () => (await harness.sql.query('SELECT 1 FROM dispatch.stdio_owners')).length === 1,
    );
  };

  /** Resolves when the owner has seen it: who claims another integration has looked at its own first. */
  const edit = async (assignments: string) => {
    await harness.sql.query(
      `UPDATE registry.integrations SET ${assignments}, version = version + 1 WHERE id = $1`,
      [integrationId],
    );
    return (await insertOthers()).ids;
  };

  it('asks the client of the call, whichever worker has the call and whichever the child', async () => {
    for (const name of ['a', 'b', 'c', 'd']) {
      const { acceptedAt, end } = await underWay(name);
      // Longer than the child itself may take.
      await eventually(() => Date.now() - acceptedAt > 2_000);
      expect(await end()).toContain(`"message":"${name}"`);
    }
  });

  it('keeps its process, and the calls under way, over an edit that its process does not depend on', async () => {
    const before = await pid();
    const call = await underWay('still there');
    await deleteOthers(await edit(`name = 'Renamed', max_concurrency = 8, approval_on_gateway = 'host'`));
    expect(await call.end()).toContain('"message":"still there"');
    expect(await pid()).toBe(before);
  });

  it('gets a new process after an edit that needs one, when the calls under way have ended or had their time', async () => {
    const before = await pid();
    const call = await underWay('may end');
    const stuck = harness.call(integrationId, 'up_hang', {}, { deadlineMs: 120_000 });
    const args = JSON.stringify({ type: 'stdio', command: 'fixture', args: ['--again'] });
    const others = await edit(`transport = '${args}', connection_version = connection_version + 1`);
    expect(isAlive(before)).toBe(true);
    expect(await call.end()).toContain('"message":"may end"');
    expect(await stuck).toMatchObject({ status: 'outcome_unknown' });
    expect(await pid()).not.toBe(before);
    expect(isAlive(before)).toBe(false);
    await deleteOthers(others);
  });

  it('refuses a question of a call whose client declared nothing', async () => {
    expect(textOf(await harness.call(integrationId, 'up_ask', { message: 'x' }))).toContain(
      'did not declare',
    );
  });

  it('asks nobody on behalf of a call whose caller left, and may ask again after a while', async () => {
    const client = { capabilities: { elicitation: {} }, activeMs: 10_000 };
    const ofAlice = harness.job(integrationId, 'up_linger', {}, { client });
    const { callId } = ofAlice.sealed.call;
    const isRunning = Promise.withResolvers<unknown>();
    const alice = harness.send(ofAlice, isRunning.resolve);
    await isRunning.promise;
    await harness.queue.publish(topics.toolCallCancel, { callId });
    expect(await alice).toMatchObject({ status: 'cancelled' });
    const asked: unknown[] = [];
    // The child has one open call now, and yet nobody knows that it does not ask on behalf of Alice.
    const ofBob = harness.job(integrationId, 'up_ask', { message: 'x' }, { client });
    const bob = await harness.send(ofBob, (event) => void asked.push(event));
    expect(textOf(bob)).toContain('not known for which call');
    expect(asked).toEqual([]);
    const before = await pid();
    await eventually(async () => (await pid()) !== before);
  });

  it('reads a resource, and tells of its updates while somebody wants them', async () => {
    await harness.insertFeatures(integrationId, 'resource', {
      'stdio://note': { uri: 'stdio://note', name: 'note' },
    });
    const options = { method: 'resources/read', own: 'stdio://note' } as const;
    const read = await harness.call(integrationId, 'sy.up+stdio://note', {}, options);
    expect(read).toMatchObject({ status: 'completed', result: { contents: [{ text: 'A note' }] } });
    const updates: string[] = [];
    const stop = await harness.queue.subscribe(topics.resourceUpdated, ({ uri }) => void updates.push(uri));
    const resources = [{ integrationId, uri: 'stdio://note' }];
    await harness.queue.publish(topics.resourcesWanted, { replicaId: randomUUID(), resources });
    await eventually(async () => {
      await harness.call(integrationId, 'up_touch', { uri: 'stdio://note' });
      return updates.includes('stdio://note');
    });
    await stop();
  });

  it('runs an unsafe request once, however often its job is put into the store', async () => {
    const queue = stdioQueue(integrationId);
    const request = {
      v: 1 as const,
      op: 'call' as const,
      callId: '0197e6a0-0000-7000-8000-00000000f001',
      tool: 'pid',
      arguments: {},
      progress: false,
      safe: false,
      deadlineAt: Date.now() + 20_000,
    };
    const options = { jobId: 'replayed', timeoutMs: 8_000 };
    expect(await harness.queue.request(queue, request, options)).toMatchObject({ status: 'called' });
    await eventually(async () => (await harness.queue.exists(queue, ['replayed'])).size === 0);
    expect(await harness.queue.request(queue, request, options)).toMatchObject({
      status: 'failed',
      failure: { failureClass: 'sent_no_answer' },
    });
  });

  it('gets a new child after the child has died, and the unsafe call that it died of is unknown', async () => {
    const before = await pid();
    expect(await harness.call(integrationId, 'up_exit')).toMatchObject({ status: 'outcome_unknown' });
    const after = await pid();
    expect(after).not.toBe(before);
    expect(isAlive(before)).toBe(false);
  });

  it.each(['missing', 'quits'])(
    'says what to check where its command does not start: %s',
    async (command) => {
      const id = await harness.insertIntegration(command, { type: 'stdio', command, args: [] }, unsafe);
      const list = { v: 1 as const, op: 'list' as const, timeoutMs: 5_000 };
      const options = { timeoutMs: 15_000, priority: stdioPriority.list };
      const answer = await harness.queue.request(stdioQueue(id), list, options);
      const error = { code: 'upstream_unreachable', message: expect.stringMatching(/did not start: check/) };
      expect(answer).toMatchObject({ status: 'failed', failure: { failureClass: 'not_sent', error } });
      await harness.sql.query('DELETE FROM registry.integrations WHERE id = $1', [id]);
      await eventually(
        async () => (await harness.sql.query('SELECT 1 FROM dispatch.stdio_owners')).length === 1,
      );
    },
  );

  it('shares several children over the workers, and leaves none without an owner', async () => {
    const { ids, owners } = await insertOthers();
    expect(new Set(owners).size).toBe(2);
    await deleteOthers(ids);
  });

  it('moves to another worker when its owner leaves, and the old child is gone', async () => {
    const before = await pid();
    const [{ worker_id: owner }] = (await harness.sql.query(
      'SELECT worker_id FROM dispatch.stdio_owners',
    )) as [{ worker_id: string }];
    const live = (
      await harness.sql.query<{ id: string }>('SELECT id FROM dispatch.workers ORDER BY started_at')
    ).map(({ id }) => id);
    await workers[live.indexOf(owner)]?.close();
    expect(isAlive(before)).toBe(false);
    const after = await pid();
    expect(after).not.toBe(before);
    const owners = await harness.sql.query<{ worker_id: string }>(
      'SELECT worker_id FROM dispatch.stdio_owners',
    );
    expect(owners).toEqual([{ worker_id: live.find((id) => id !== owner) }]);
  });

  it('lets go of its child when it is disabled', async () => {
    const before = await pid();
    await harness.sql.query(
      'UPDATE registry.integrations SET enabled = false, version = version + 1 WHERE id = $1',
      [integrationId],
    );
    await eventually(() => !isAlive(before));
    expect(await harness.call(integrationId, 'up_pid')).toMatchObject({
      status: 'failed',
      error: { code: 'integration_unavailable' },
    });
  });
});

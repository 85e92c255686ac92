import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { AgentDefinition } from '@switchyard/contracts';
import { onBothQueueBackends } from '@switchyard/testing';
import { ChatHarness, type ChatRunner } from './chat-harness-spec.js';

/** Of a run that was begun or joined; of a refusal the code alone. */
type Answer = { run_id: string; conversation_id: string; status: string; code?: string };

onBothQueueBackends('a message that is sent again', (backend) => {
  let harness: ChatHarness;
  let runner: ChatRunner;
  let agent: AgentDefinition;

  beforeAll(async () => {
    harness = await ChatHarness.open(backend);
    await harness.runs.addTools(['add']);
    runner = await harness.startRunner({ AGENT_RUNNER_CHAT_WAIT_MS: '300' });
    agent = await harness.addAgent();
    harness.runs.script([
      { when: { step: 0, last_user: 'slow' }, answer: { text: 'late words', chunk_delay_ms: 300 } },
      { when: { step: 0, last_user: 'go' }, answer: { tool_calls: [{ name: 'up_add', arguments: {} }] } },
      { when: { last_user: 'fail' }, answer: { error: { status: 401, message: 'no' } } },
      { answer: { text: 'Words.' } },
    ]);
  }, 120_000);
  afterAll(() => harness.close());

  const say = async (body: object, more: { key?: string; subject?: string } = {}) => {
    const answer = await harness.call(runner.origin, '/api/chat', {
      body: { agent: agent.slug, stream: false, ...body },
      subject: more.subject,
      ...(more.key !== undefined && { headers: { 'idempotency-key': more.key } }),
    });
    return { status: answer.status, body: (await answer.json()) as Answer };
  };
  const user = (id: string, text: string) => ({ id, role: 'user', parts: [{ type: 'text', text }] });
  const assistant = (id: string) => ({ id, role: 'assistant', parts: [] });

  it('under one Idempotency-Key begins one run, whose tools are called once, in whatever conversation', async () => {
    const key = randomUUID();
    const all = await Promise.all(Array.from({ length: 5 }, () => say({ message: 'go' }, { key })));
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const [first] = all;
    for (const { body } of all)
      expect([body.run_id, body.conversation_id]).toEqual([first?.body.run_id, first?.body.conversation_id]);
    await harness.runs.ended(first?.body.run_id ?? '');
    expect((await say({ message: 'go' }, { key })).body).toMatchObject({
      ...{ run_id: first?.body.run_id, status: 'completed', output: { text: 'Words.' } },
    });
    expect(harness.runs.sent).toHaveLength(1);
  });

  it('joins the run while it goes on, where any other message is told to wait', async () => {
    const conversation_id = randomUUID();
    const key = randomUUID();
    const first = await say({ conversation_id, message: 'slow' }, { key });
    expect(first.body.status).toBe('running');
    expect((await say({ conversation_id, message: 'slow' }, { key })).body.run_id).toBe(first.body.run_id);
    expect((await say({ conversation_id, message: 'slow' })).body).toMatchObject({ code: 'conflict' });
    await harness.runs.ended(first.body.run_id);
  });

  it('must be the same, and the same user’s', async () => {
    const key = randomUUID();
    const { body } = await say({ message: 'plain' }, { key });
    for (const other of [
      { message: 'other' },
      { message: 'plain', include_tools: [] },
      { message: 'plain', conversation_id: randomUUID() },
    ])
      expect(await say(other, { key })).toMatchObject({
        status: 409,
        body: { code: 'idempotency_conflict' },
      });
    const others = await say({ message: 'plain' }, { key, subject: 'eve' });
    expect(others.status).toBe(200);
    expect(others.body.run_id).not.toBe(body.run_id);
    expect((await say({ message: 'plain' }, { key: 'no key' })).status).toBe(400);
  });

  it('is known by the ids of a client of `ai`, unless its text or what came before it is another', async () => {
    const id = `chat-${randomUUID()}`;
    const run = async (...messages: object[]) => {
      const { status, body } = await say({ id, messages });
      expect({ status, body }).toMatchObject({ status: 200 });
      await harness.runs.ended(body.run_id);
      return body.run_id;
    };
    const first = await run(user('u1', 'plain'));
    expect(await run(user('u1', 'plain'))).toBe(first);
    const edited = await run(user('u1', 'changed'));
    const second = await run(user('u1', 'plain'), assistant(first), user('u1', 'plain'));
    expect(new Set([first, edited, second]).size).toBe(3);
    expect(await run(user('u1', 'plain'), assistant(first), user('u1', 'plain'))).toBe(second);
    const nameless = { role: 'user', parts: [{ type: 'text', text: 'plain' }] };
    expect(await run(nameless)).not.toBe(await run(nameless));
  });

  it('is known by its key, and not by its ids, once its conversation was deleted', async () => {
    const conversation_id = randomUUID();
    const keyed = { body: { conversation_id, message: 'plain' }, key: randomUUID(), isKnown: true };
    const named = { body: { id: conversation_id, messages: [user('u1', 'plain')] }, isKnown: false };
    for (const { isKnown, body: request, ...more } of [keyed, named]) {
      const { body } = await say(request, more);
      await harness.runs.ended(body.run_id);
      await harness.call(runner.origin, `/api/conversations/${conversation_id}`, { method: 'DELETE' });
      const again = await say(request, more);
      expect(again.status).toBe(200);
      expect(again.body.run_id === body.run_id).toBe(isKnown);
      await harness.runs.ended(again.body.run_id);
    }
  });

  it('is a new one, without a key, where the run before came to nothing or is not the last word any more', async () => {
    const id = randomUUID();
    const run = async (message: object) => {
      const { body } = await say({ id, message });
      await harness.runs.ended(body.run_id);
      return body.run_id;
    };
    const failed = await run(user('f', 'fail'));
    const first = await run(user('f', 'fail'));
    expect(first).not.toBe(failed);
    const yes = await run(user('m1', 'yes'));
    expect(await run(user('m1', 'yes'))).toBe(yes);
    await run(user('m2', 'other'));
    const again = await run(user('m1', 'yes'));
    expect(again).not.toBe(yes);
    expect(await run(user('m1', 'yes'))).toBe(again);
    const key = randomUUID();
    const kept = await say({ message: 'fail' }, { key });
    await harness.runs.ended(kept.body.run_id);
    expect((await say({ message: 'fail' }, { key })).body.run_id).toBe(kept.body.run_id);
  });

  it('joins its twin where that has taken the last room of its user', async () => {
    const few = await harness.startRunner({
      AGENT_RUNNER_RUNS_PER_USER: '1',
      AGENT_RUNNER_CHAT_WAIT_MS: '300',
    });
    const own = await harness.addAgent();
    const headers = { 'idempotency-key': randomUUID() };
    const body = { agent: own.slug, message: 'slow', stream: false };
    const ask = () => harness.call(few.origin, '/api/chat', { body, headers, subject: 'twin' });
    const answers = await Promise.all(Array.from({ length: 6 }, ask));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    const runs = await Promise.all(
      answers.map(async (answer) => (await answer.json()) as { run_id: string }),
    );
    expect(new Set(runs.map(({ run_id: runId }) => runId)).size).toBe(1);
    await harness.runs.ended(runs[0]?.run_id ?? '');
    await harness.stopRunner(few);
  });
});

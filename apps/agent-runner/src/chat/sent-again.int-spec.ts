import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { AgentDefinition } from '@switchyard/contracts';
import { onBothQueueBackends } from '@switchyard/testing';
import { ChatHarness, type ChatRunner } from './chat-harness-spec.js';

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
    return { status: answer.status, body: (await answer.json()) as any };
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
    await harness.runs.ended(first?.body.run_id);
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
      return body.run_id as string;
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

  it('is a new one once its conversation was deleted', async () => {
    const key = randomUUID();
    const conversation_id = randomUUID();
    const { body } = await say({ conversation_id, message: 'plain' }, { key });
    await harness.call(runner.origin, `/api/conversations/${conversation_id}`, { method: 'DELETE' });
    const again = await say({ conversation_id, message: 'plain' }, { key });
    expect(again.status).toBe(200);
    expect(again.body.run_id).not.toBe(body.run_id);
  });
});

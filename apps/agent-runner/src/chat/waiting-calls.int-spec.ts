import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type AgentDefinition, PlatformError, topics } from '@switchyard/contracts';
import { eventually, onBothQueueBackends } from '@switchyard/testing';
import { lastAssistantMessageIsCompleteWithApprovalResponses } from 'ai';
import { ChatHarness, type ChatRunner, dataOf } from './chat-harness-spec.js';

const needsApproval = { default: 'auto_execute', tools: { up_drop: 'require_approval' } } as const;

onBothQueueBackends('calls of a chat that wait', (backend) => {
  let harness: ChatHarness;
  let runner: ChatRunner;

  beforeAll(async () => {
    harness = await ChatHarness.open(backend);
    await harness.runs.addTools(['add', 'drop']);
    runner = await harness.startRunner();
    const calls = ['up_add', 'up_drop'].map((name, at) => ({ id: `c${at}`, name, arguments: { at } }));
    harness.runs.script([
      { when: { step: 0 }, answer: { text: 'I would.', tool_calls: calls } },
      { when: { step: 1 }, answer: { text: 'Done.' } },
    ]);
  }, 120_000);
  beforeEach(() => {
    harness.runs.sent.length = 0;
    harness.decisions.length = 0;
    harness.meanwhile = async () => undefined;
    harness.runs.act = async () => ({ text: 'ran' });
  });
  afterAll(() => harness.close());

  /** A chat that posts its user's decisions by itself, and five times at the most. */
  const deciding = async (agent: AgentDefinition) => {
    let posts = 0;
    const chat = await harness.chat(runner, agent, {
      sendAutomaticallyWhen: (all) => lastAssistantMessageIsCompleteWithApprovalResponses(all) && ++posts < 5,
    });
    return { chat, posts: () => posts };
  };

  it.each([
    [true, false, ['approved already']],
    [false, true, ['denied already']],
    [true, true, []],
    [false, false, []],
  ])(
    'shows what others decided (%s) to who decides too late (%s), and once',
    async (decided, said, refusals) => {
      const { chat, posts } = await deciding(await harness.addAgent({ execution: needsApproval }));
      await chat.sendMessage({ text: 'go' });
      const id = dataOf(chat.answer, 'approval_required')[0]?.approval_id ?? '';
      await harness.runs.decide(id, decided);
      await harness.runs.ended(chat.answer.id);
      await chat.addToolApprovalResponse({ id, approved: said, reason: 'MINE!' });
      await eventually(() => chat.status === 'ready' && chat.text.includes('Done.'));
      expect(dataOf(chat.answer, 'approval_refused')).toEqual(
        refusals.map((words) => ({
          ...{ approval_id: id, code: 'conflict', message: expect.stringContaining(words) },
        })),
      );
      expect(chat.answer.parts[3]).toMatchObject({
        state: decided ? 'output-available' : 'output-denied',
        approval: { id, approved: decided },
      });
      if (decided !== said) expect(JSON.stringify(chat.answer.parts)).not.toContain('MINE!');
      expect(dataOf(chat.answer, 'approval_required')).toMatchObject([{ state: 'decided' }]);
      expect(harness.decisions).toEqual([]);
      expect(posts()).toBe(1);
    },
  );

  it('takes a decision about one call beside one that comes too late about another', async () => {
    const agent = await harness.addAgent({ execution: { default: 'require_approval' } });
    const { chat, posts } = await deciding(agent);
    await chat.sendMessage({ text: 'go' });
    const [late = '', open = ''] = dataOf(chat.answer, 'approval_required').map((part) => part.approval_id);
    await harness.runs.decide(late, true);
    await eventually(() => harness.runs.sent.length === 1);
    await harness.runs.reaches(chat.answer.id, 'waiting_approval');
    await chat.addToolApprovalResponse({ id: late, approved: false, reason: 'MINE!' });
    await chat.addToolApprovalResponse({ id: open, approved: true });
    await eventually(() => chat.status === 'ready' && chat.text.includes('Done.'));
    expect(harness.decisions).toMatchObject([{ callId: open, approved: true }]);
    expect(dataOf(chat.answer, 'approval_refused')).toMatchObject([{ approval_id: late }]);
    expect(chat.answer.parts[2]).toMatchObject({
      state: 'output-available',
      approval: { id: late, approved: true },
    });
    expect(JSON.stringify(chat.answer.parts)).not.toContain('MINE!');
    expect(posts()).toBe(1);
  });

  it('tells a late decision while the run waits for another call, and asks only for that one', async () => {
    const { id, runId, callIds } = await harness.parked(runner);
    const [late = ''] = callIds;
    await harness.runs.decide(late, true);
    await eventually(() => harness.runs.sent.length === 1);
    await harness.runs.reaches(runId, 'waiting_approval');
    const approval = { id: late, approved: false, reason: 'MINE!' };
    const part = { type: 'dynamic-tool', toolCallId: late, state: 'approval-responded', approval };
    const messages = [{ id: runId, role: 'assistant', parts: [part] }];
    const { status, body } = await harness.program(runner).json({ id, messages });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'waiting_approval', pending: [{ approval_id: callIds[1] }] });
    expect(body.refused).toMatchObject([{ approval_id: late, code: 'conflict' }]);
    const streamed = await harness.program(runner).post({ id, messages });
    const told = await streamed.text();
    expect(told).toContain('"type":"data-approval_refused"');
    expect(told).toContain(`"approvalId":"${late}","approved":true`);
  });

  it.each([true, false])(
    'show what was decided to who decided at the same instant, whether otherwise or not (%s)',
    async (said) => {
      const { chat, posts } = await deciding(await harness.addAgent({ execution: needsApproval }));
      await chat.sendMessage({ text: 'go' });
      const [part] = dataOf(chat.answer, 'approval_required');
      const id = part?.approval_id ?? '';
      harness.meanwhile = (callId) => harness.runs.decide(callId, true);
      // The run hears of it only when the loser's stream has begun.
      const begun = Promise.withResolvers<void>();
      const held = harness.runs.sql.transaction(async (sql) => {
        await sql.query('SELECT 1 FROM runs.runs WHERE id = $1 FOR UPDATE', [chat.answer.id]);
        await begun.promise;
      });
      const decided = chat.addToolApprovalResponse({ id, approved: said, reason: 'MINE!' });
      await eventually(() => harness.decisions.length === 1 && (said || chat.status === 'streaming'));
      begun.resolve();
      await Promise.all([held, decided]);
      await eventually(() => chat.status === 'ready' && chat.text.includes('Done.'));
      expect(dataOf(chat.answer, 'approval_required')).toMatchObject([{ state: 'decided' }]);
      expect(chat.answer.parts[3]).toMatchObject({ state: 'output-available', approval: { approved: true } });
      expect(dataOf(chat.answer, 'approval_refused')).toMatchObject(
        said ? [] : [{ code: 'conflict', message: expect.stringContaining('approved already') }],
      );
      expect(posts()).toBe(1);
    },
  );

  it('say in an open stream that the run waits, and that it goes on', async () => {
    const agent = await harness.addAgent({ execution: needsApproval });
    const chat = await harness.chat(runner, agent);
    const sent = chat.sendMessage({ text: 'go' }, { body: { agent: agent.id, await_approval: true } });
    await eventually(() => chat.answer.metadata?.status === 'waiting_approval');
    const second = await harness.chat(runner, agent, { id: chat.id });
    const resumed = second.resumeStream({ body: {} });
    await eventually(() => second.answer.metadata?.status === 'waiting_approval');
    await resumed;
    expect(second.answer).toEqual(chat.answer);
    await harness.runs.decide(dataOf(chat.answer, 'approval_required')[0]?.approval_id ?? '', true);
    await sent;
    expect(chat.answer.metadata).toMatchObject({ status: 'completed' });
  });

  it.each([true, false])('tell their user whether they may decide themselves (%s)', async (selfApproval) => {
    const agent = await harness.addAgent({ execution: needsApproval, approval: { selfApproval } });
    const chat = await harness.chat(runner, agent);
    await chat.sendMessage({ text: 'go' });
    const [part] = dataOf(chat.answer, 'approval_required');
    expect(part).toMatchObject({ state: 'waiting', may_decide: selfApproval });
    const read = await harness.program(runner).read(`/api/conversations/${chat.id}`);
    expect(dataOf(read.messages[1], 'approval_required')).toEqual([part]);
  });

  it('expire when the ledger says so, whether they wait or are decided', async () => {
    const agent = await harness.addAgent({ execution: needsApproval });
    const chat = await harness.chat(runner, agent);
    const sent = chat.sendMessage({ text: 'go' }, { body: { agent: agent.id, await_approval: true } });
    const waiting = await eventually(() => dataOf(chat.answer, 'approval_required')[0]);
    const [row] = await harness.runs.sql.query<{ expires_at: Date }>(
      'SELECT expires_at FROM dispatch.approvals WHERE call_id = $1',
      [waiting.approval_id],
    );
    await harness.runs.decide(waiting.approval_id, true);
    await sent;
    const [decided] = dataOf(chat.answer, 'approval_required');
    expect(decided).toEqual({ ...waiting, state: 'decided', may_decide: false });
    expect(decided?.expires_at).toBe(row?.expires_at.toISOString());
  });

  it('for one integration to be connected show one button, and go on together', async () => {
    const details = { integration: 'up', reauth_url: 'https://switchyard.example/integrations/x/connect' };
    const error = new PlatformError('needs_reauth', { details }).toInfo();
    let isConnected = false;
    harness.runs.act = async () => (isConnected ? { text: 'ran' } : { error });
    const agent = await harness.addAgent();
    const chat = await harness.chat(runner, agent);
    const sent = chat.sendMessage({ text: 'go' });
    const { run, calls } = await harness.runs.reaches(
      await eventually(() => chat.answer.id || undefined),
      'waiting_reauth',
    );
    await eventually(() => chat.answer.metadata?.status === 'waiting_reauth');
    const [part, ...others] = dataOf(chat.answer, 'needs_reauth');
    expect(others).toEqual([]);
    expect(part).toMatchObject({ ...details, state: 'waiting', tool_call_id: calls[0]?.callId });
    const read = await harness.program(runner).read(`/api/conversations/${chat.id}`);
    expect(read.messages[1].parts).toEqual(JSON.parse(JSON.stringify(chat.answer.parts)));
    isConnected = true;
    const integrationId = run.plan?.tools[0]?.integrationId ?? '';
    await harness.runs.queue.publish(topics.credentialChanged, {
      ...{ orgId: run.orgId, userId: run.caller.userId, state: 'active', integrationId },
    });
    await sent;
    expect(chat.text).toContain('Done.');
    expect(chat.answer.parts.filter(({ type }) => type === 'data-needs_reauth')).toMatchObject([
      { id: integrationId, data: { state: 'connected' } },
    ]);
    expect(chat.answer.parts.filter(({ type }) => type === 'dynamic-tool')).toMatchObject([
      { state: 'output-available' },
      { state: 'output-available' },
    ]);
  });
});

import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { eventually, onBothQueueBackends } from '@switchyard/testing';
import { ChatHarness, type ChatRunner } from './chat-harness-spec.js';

const calls = (...names: string[]) => ({
  tool_calls: names.map((name, at) => ({ id: `c${at}`, name, arguments: { at } })),
});

onBothQueueBackends('requests in the shape of 001', (backend) => {
  let harness: ChatHarness;
  let runner: ChatRunner;
  let program: ReturnType<ChatHarness['program']>;

  beforeAll(async () => {
    harness = await ChatHarness.open(backend);
    await harness.runs.addTools(['add', 'drop']);
    runner = await harness.startRunner();
    program = harness.program(runner);
    harness.runs.script([
      { when: { step: 0 }, answer: calls('up_add', 'up_drop') },
      { when: { step: 1 }, answer: { text: 'Done: {{last_result}}' } },
    ]);
  }, 120_000);
  beforeEach(() => {
    harness.runs.sent.length = 0;
    harness.decisions.length = 0;
    harness.refusal = undefined;
    harness.runs.act = async ({ sealed }) => ({ text: `${sealed.call.tool} ran` });
  });
  afterAll(() => harness.close());

  it('name what waits, and approve of it by name and arguments, by id, or in the words of Go', async () => {
    const { id, callIds } = await harness.parked(runner);
    const first = await program.json({
      conversation_id: id,
      mcp_tools: [{ type: 'function', function: { name: 'up_add', arguments: '{ "at": 0 }' } }],
    });
    expect(harness.decisions).toMatchObject([{ callId: callIds[0], approved: true }]);
    const pending = first.body.extra_fields.pending_mcp_tools.filter(
      (tool: { approval_id: string }) => tool.approval_id === callIds[1],
    );
    expect(pending).toEqual([
      {
        client_name: 'up',
        tool: {
          type: 'function',
          function: { name: 'up_drop', description: '', parameters: { type: 'object' } },
        },
        tool_call: {
          id: callIds[1],
          type: 'function',
          function: { name: 'up_drop', arguments: '{"at":1}' },
        },
        approval_id: callIds[1],
      },
    ]);
    const [{ tool, tool_call }] = pending;
    const go = {
      ClientName: 'up',
      Tool: { Function: { Name: tool.function.name } },
      ToolCall: { ID: tool_call.id },
    };
    const last = await program.json({ id, MCPTools: [go] });
    expect(last.status).toBe(200);
    const { run } = await harness.runs.ended(last.body.run_id);
    expect(run.output).toMatchObject({ kind: 'text' });
    expect(harness.runs.sent).toHaveLength(2);
    expect((await program.json({ id, mcp_tools: [go] })).status).toBe(409);
  });

  it('approve of tools by name, where the history that comes with them holds the calls', async () => {
    const { id, callIds } = await harness.parked(runner);
    const call = (index: number, name: string, args: string) => ({
      ...{ id: callIds[index], type: 'function', function: { name, arguments: args } },
    });
    const request = (first: string) => ({
      conversation_id: id,
      messages: [
        { role: 'user', content: 'go' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [call(0, 'up_add', first), call(1, 'up_drop', '{"at":1}')],
        },
      ],
      mcp_tools: [{ type: 'function', function: { name: 'up_add' } }],
    });
    const changed = await program.json(request('{"at":7}'));
    expect(changed.body.refused).toMatchObject([{ approval_id: callIds[0], code: 'approval_stale' }]);
    expect(harness.runs.sent).toEqual([]);
    expect((await program.json(request('{"at":0}'))).body.refused).toEqual([]);
    await eventually(() => harness.runs.sent.length > 0);
    expect(harness.runs.sent.map(({ sealed }) => sealed.call.tool)).toEqual(['add']);
  });

  it('approve of nothing else: another name, another id, other arguments, or a name alone', async () => {
    const { id, callIds } = await harness.parked(runner);
    const named = (name: string) => ({ function: { name } });
    for (const tools of [[named('up_add')], [{ approval_id: callIds[0] }, named('up_drop')]]) {
      const alone = await program.json({ id, mcp_tools: tools });
      expect(alone).toMatchObject({
        status: 409,
        body: {
          ...{ code: 'conflict', detail: expect.stringContaining('pending_mcp_tools') },
          details: { pending: callIds.map((callId) => ({ approval_id: callId })) },
        },
      });
    }
    const otherwise = { function: { name: 'up_add', arguments: '{"at":7}' } };
    for (const one of [otherwise, { function: { ...otherwise.function, name: 'up_list' } }])
      expect((await program.json({ id, mcp_tools: [one] })).status).toBe(409);
    expect(
      (await program.json({ id, mcp_tools: [{ ...named('up_add'), approval_id: callIds[1] }] })).status,
    ).toBe(409);
    expect((await program.json({ id, mcp_tools: [] })).status).toBe(409);
    expect(harness.decisions).toEqual([]);
    const other = { id: callIds[0], function: { name: 'up_add', arguments: '{"at":7}' } };
    const changed = await program.json({ id, mcp_tools: [{ tool_call: other }] });
    expect(changed.body).toMatchObject({
      status: 'waiting_approval',
      refused: [{ approval_id: callIds[0], code: 'approval_stale' }],
    });
    const same = { id: callIds[1], function: { name: 'up_drop', arguments: '{ "at": 1 }' } };
    expect((await program.json({ id, mcp_tools: [{ tool_call: same }] })).body.refused).toEqual([]);
    await eventually(() => harness.runs.sent.length > 0);
    expect(harness.runs.sent.map(({ sealed }) => sealed.call.tool)).toEqual(['drop']);
  });

  it('give raw results where the agent is not agentic', async () => {
    const { id } = await harness.parked(runner, { agenticMode: false });
    const { body } = await program.json({
      id,
      mcp_tools: ['up_add', 'up_drop'].map((name, at) => ({
        function: { name, arguments: JSON.stringify({ at }) },
      })),
    });
    const { run } = await harness.runs.ended(body.run_id);
    expect(run.output).toMatchObject({
      kind: 'tool_results',
      results: [{ outwardName: 'up_add' }, { outwardName: 'up_drop' }],
    });
  });

  const decide = (body: unknown) => harness.call(runner.origin, '/api/chat/approvals', { body });
  const pendingOf = ({ callIds }: { callIds: string[] }) =>
    callIds.map((id) => ({ tool_call: { id, function: {} }, tool: {}, client_name: 'up' }));

  it.each([
    ['no body', undefined],
    ['no session', { pending_tools: [{ function: { name: 'x' } }], approved: true }],
    [
      'approval that is no boolean',
      { pending_tools: [{ function: { name: 'x' } }], approved: 'yes', session_id: 'x' },
    ],
    ['no tools', { pending_tools: [], approved: true, session_id: 'x' }],
    ['tools without a name', { pending_tools: [{}], approved: true, session_id: 'x' }],
  ])('the web handler refuses %s', async (_, body) => {
    const answer = await decide(body ?? null);
    expect([answer.status, await answer.text()]).toEqual([400, 'Invalid request']);
  });

  it('the web handler refuses what is no JSON, and what is too large as any other route', async () => {
    const post = async (body: string) => {
      const authorization = `Bearer ${await harness.token()}`;
      const headers = { authorization, 'content-type': 'application/json' };
      const answer = await fetch(`${runner.origin}/api/chat/approvals`, { method: 'POST', body, headers });
      return [answer.status, answer.headers.get('content-type'), await answer.text()];
    };
    expect(await post('{ "pending_tools": [')).toEqual([
      ...[400, 'text/plain; charset=utf-8', 'Invalid request'],
    ]);
    expect(await post(JSON.stringify('x'.repeat(1_100_000)))).toEqual([
      ...[413, expect.stringContaining('problem+json'), expect.stringContaining('payload_too_large')],
    ]);
  });

  it('the web handler knows no other session', async () => {
    const { id, callIds } = await harness.parked(runner);
    const body = { pending_tools: pendingOf({ callIds }), approved: true };
    for (const [session_id, subject] of [
      ['unknown', 'ada'],
      [id, 'eve'],
    ]) {
      const answer = await harness.call(runner.origin, '/api/chat/approvals', {
        body: { ...body, session_id },
        subject,
      });
      expect([answer.status, await answer.text()]).toEqual([404, 'Session not found']);
    }
    const named = { pending_tools: [{ function: { name: 'up_add' } }], approved: true, session_id: id };
    const alone = await decide(named);
    expect([alone.status, await alone.text()]).toEqual([409, expect.stringContaining('pending_mcp_tools')]);
    expect(harness.decisions).toEqual([]);
  });

  it('the web handler executes what is approved, and answers with words', async () => {
    const { id, callIds } = await harness.parked(runner);
    const answer = await decide({ pending_tools: pendingOf({ callIds }), approved: true, session_id: id });
    expect(answer.status).toBe(200);
    const message = expect.stringMatching(/^Done: .*ran/s);
    expect(await answer.json()).toMatchObject({ type: 'execution_result', message, status: 'completed' });
    expect(harness.runs.sent).toHaveLength(2);
  });

  it('the web handler cancels what is denied, and nothing runs', async () => {
    const { id, callIds, runId } = await harness.parked(runner);
    const answer = await decide({ pending_tools: pendingOf({ callIds }), approved: false, session_id: id });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ type: 'cancellation', message: expect.any(String) });
    await harness.runs.ended(runId);
    expect(harness.runs.sent).toEqual([]);
  });

  it('the web handler says 500 where the run fails or the decision is refused', async () => {
    const { id, callIds, runId } = await harness.parked(runner);
    const body = { pending_tools: pendingOf({ callIds }), approved: true, session_id: id };
    harness.refusal = { status: 'refused', error: new PlatformError('approval_expired').toInfo() };
    const refused = await decide(body);
    expect([refused.status, await refused.text()]).toEqual([500, expect.stringContaining('in time')]);
    harness.refusal = undefined;
    const never = Promise.withResolvers<{ text: string }>();
    harness.runs.act = () => never.promise;
    const deciding = decide(body);
    await eventually(() => harness.runs.sent.length === 2);
    await harness.runs.runs.cancel(harness.runs.orgId, runId);
    const cancelled = await deciding;
    expect([cancelled.status, await cancelled.text()]).toEqual([500, 'The run was cancelled.']);
    never.resolve({ text: 'late' });
    expect((await decide(body)).status).toBe(409);
  });
});

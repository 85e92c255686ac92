import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { eventually, onBothQueueBackends } from '@switchyard/testing';
import { ChatHarness, type ChatRunner, textOf } from './chat-harness-spec.js';

const calls = (...names: string[]) => ({
  tool_calls: names.map((name, at) => ({ id: `c${at}`, name, arguments: { at } })),
});

onBothQueueBackends('requests to chats', (backend) => {
  let harness: ChatHarness;
  let runner: ChatRunner;
  let program: ReturnType<ChatHarness['program']>;

  beforeAll(async () => {
    harness = await ChatHarness.open(backend);
    await harness.runs.addTools(['add', 'drop']);
    runner = await harness.startRunner({
      AGENT_RUNNER_STREAMS_PER_USER: '3',
      AGENT_RUNNER_CHAT_WAIT_MS: '400',
    });
    program = harness.program(runner);
    harness.runs.script([
      { when: { step: 0, last_user: 'slow' }, answer: { text: 'late words', chunk_delay_ms: 400 } },
      { when: { step: 0, last_user: 'plain' }, answer: { text: 'Words.' } },
      { when: { last_user: 'denied' }, answer: { error: { status: 401, retry_after_s: 30 } } },
      { when: { last_user: 'limited' }, answer: { error: { status: 429, retry_after_s: 30 } } },
      { when: { step: 0 }, answer: calls('up_add', 'up_drop') },
      { when: { step: 1 }, answer: { text: 'Done: {{last_result}}' } },
    ]);
  }, 120_000);
  beforeEach(() => {
    harness.runs.sent.length = 0;
    harness.decisions.length = 0;
    harness.refusal = undefined;
  });
  afterAll(() => harness.close());

  it('answer with JSON where that is wanted: the message, the output, what was used', async () => {
    const agent = await harness.addAgent();
    const { status, body } = await program.json({ agent: agent.id, message: 'plain' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ status: 'completed', pending: [], refused: [], error: null },
      output: { kind: 'text', text: 'Words.' },
      message: { id: body.run_id, role: 'assistant' },
      extra_fields: { pending_mcp_tools: [] },
    });
    expect(textOf(body.message)).toBe('Words.');
    const headers = { accept: 'application/json' };
    const again = { agent: agent.slug, message: 'plain', conversation_id: body.conversation_id };
    const accepted = await harness.call(runner.origin, '/api/chat', { body: again, headers });
    expect(await accepted.json()).toMatchObject({
      conversation_id: body.conversation_id,
      status: 'completed',
    });
  });

  it('that come as a form, as curl sends them by itself, read which header is missing', async () => {
    const agent = await harness.addAgent();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = { agent: agent.id, message: 'plain' };
    const answer = await harness.call(runner.origin, '/api/chat', { body, headers });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      code: 'invalid_request',
      detail: expect.stringContaining('Content-Type: application/json'),
    });
  });

  it.each([
    ['denied', { code: 'model_denied' }],
    ['limited', { code: 'model_rate_limited', retry_after_ms: 30_000 }],
  ])('answer a run that failed (%s) with the error as every face shows it', async (message, error) => {
    const agent = await harness.addAgent();
    const { body } = await program.json({ agent: agent.id, message });
    const words = { message: expect.any(String), next: expect.any(String), details: expect.anything() };
    expect(body).toMatchObject({ status: 'failed', output: null });
    expect(body.error).toEqual({ ...words, ...error });
  });

  it('narrow the tools of their run, wherever the filter stands, and refuse one that is misspelt', async () => {
    const agent = await harness.addAgent();
    const planned = async (body: object, headers: Record<string, string> = {}) => {
      const request = { body: { agent: agent.slug, message: 'plain', stream: false, ...body }, headers };
      const answer = await harness.call(runner.origin, '/api/chat', request);
      const { run_id: runId } = (await answer.json()) as { run_id: string };
      return (await harness.runs.data(runId)).run.plan?.tools.map(({ outwardName }) => outwardName);
    };
    expect(await planned({})).toEqual(['up_add', 'up_drop']);
    expect(await planned({ exclude_tools: ['up_drop'] })).toEqual(['up_add']);
    expect(await planned({ include_clients: [] })).toEqual([]);
    expect(await planned({}, { 'x-bf-mcp-include-tools': 'up_add' })).toEqual(['up_add']);
    const misspelt = { body: { agent: agent.slug, message: 'plain', include_client: ['up'] } };
    expect((await harness.call(runner.origin, '/api/chat', misspelt)).status).toBe(400);
  });

  it('answer in time with a run that is not over, and take no second one of the conversation meanwhile', async () => {
    const agent = await harness.addAgent();
    const conversation_id = randomUUID();
    const { body } = await program.json({ agent: agent.slug, conversation_id, message: 'slow' });
    expect(body).toMatchObject({ status: 'running', output: null });
    const second = await program.json({ agent: agent.slug, conversation_id, message: 'plain' });
    expect(second.status).toBe(409);
    expect(second.body).toMatchObject({
      code: 'conflict',
      details: { run_id: body.run_id, conversation_id },
    });
    await harness.runs.ended(body.run_id);
    expect((await program.json({ conversation_id, message: 'plain' })).body.status).toBe('completed');
  });

  it('let one of two messages in that come at once', async () => {
    const agent = await harness.addAgent();
    const conversation_id = randomUUID();
    const body = { agent: agent.slug, conversation_id, message: 'slow' };
    const statuses = await Promise.all([program.post(body), program.post(body), program.post(body)]);
    expect(statuses.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    await Promise.all(statuses.map((answer) => answer.text()));
  });

  it('begin no more runs of a user than may go on at once, at whatever process', async () => {
    const agent = await harness.addAgent();
    const few = await harness.startRunner({
      AGENT_RUNNER_RUNS_PER_USER: '2',
      AGENT_RUNNER_CHAT_WAIT_MS: '10',
    });
    await harness.addAgent();
    const hold = Promise.withResolvers<{ text: string }>();
    harness.runs.act = () => hold.promise;
    const ask = (subject: string) =>
      harness.program(few).post({ agent: agent.slug, message: 'go', stream: false }, subject);
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask('greta')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429, 429, 429]);
    expect(await refused[0]?.json()).toMatchObject({
      code: 'rate_limited',
      detail: expect.stringContaining('at most 2 runs'),
    });
    expect(refused[0]?.headers.get('retry-after')).toBe('5');
    expect((await ask('hugo')).status).toBe(200);
    hold.resolve({ text: 'late' });
    for (const answer of answers.filter(({ status }) => status === 200))
      await harness.runs.ended(((await answer.json()) as { run_id: string }).run_id);
    expect((await ask('greta')).status).toBe(200);
    harness.runs.act = async () => ({ text: 'ran' });
    await harness.stopRunner(few);
  });

  it('begin no more runs of a user than may wait for a person', async () => {
    const agent = await harness.addAgent({ execution: { default: 'require_approval' } });
    const few = await harness.startRunner({ AGENT_RUNNER_RUNS_PER_USER: '1' });
    await harness.addAgent();
    const ask = (subject: string) => harness.program(few).json({ agent: agent.slug, message: 'go' }, subject);
    for (let n = 0; n < 8; n++) {
      const { body } = await ask('ivan');
      await harness.runs.reaches(body.run_id, 'waiting_approval');
    }
    const refused = await ask('ivan');
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(refused.body.detail).toContain('at most 8 runs that wait');
    expect((await ask('judy')).status).toBe(200);
    await harness.stopRunner(few);
  });

  it('are for users alone, with agents that are theirs, in their own conversations', async () => {
    const agent = await harness.addAgent();
    const closed = await harness.addAgent({}, { everyone: false });
    const orgId = await harness.runs.addOrganization('elsewhere');
    const foreign = await harness.addAgent({ orgId });
    const { body } = await program.json({ agent: agent.slug, message: 'plain' });
    const id = body.conversation_id as string;
    const anonymous = { headers: { authorization: '' } };
    const nobody = await harness.call(runner.origin, '/api/chat', { body: { message: 'x' }, ...anonymous });
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="switchyard", error="invalid_token"',
    ]);
    expect((await program.json({ agent: closed.slug, message: 'plain' })).status).toBe(404);
    expect((await program.json({ agent: foreign.id, message: 'plain' })).status).toBe(404);
    expect((await program.json({ agent: 'no-such', message: 'plain' })).status).toBe(404);
    const eve = [
      await program.post({ agent: agent.slug, conversation_id: id, message: 'plain' }, 'eve'),
      await program.get(`/api/chat/${id}/stream`, 'eve'),
      await harness.call(runner.origin, `/api/chat/${id}/cancel`, { body: {}, subject: 'eve' }),
      await program.get(`/api/conversations/${id}`, 'eve'),
      await harness.call(runner.origin, `/api/conversations/${id}`, { method: 'DELETE', subject: 'eve' }),
      await program.post({ conversation_id: id, mcp_tools: [{ function: { name: 'up_add' } }] }, 'eve'),
    ];
    expect(eve.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404]);
    expect(await (await program.get('/api/conversations', 'eve')).json()).toEqual({
      items: [],
      next_cursor: null,
    });
    await eventually(() =>
      harness.audited.some(({ action, code }) => action === 'caller_refused' && code === 'unauthenticated'),
    );
  });

  it.each([
    ['nothing', {}, 400, 'message'],
    ['an empty message', { message: ' ' }, 400, 'empty'],
    ['no agent', { message: 'x' }, 400, 'agent'],
    ['files', { messages: [{ role: 'user', parts: [{ type: 'file', url: 'data:,x' }] }] }, 400, 'Files'],
    [
      'an assistant’s message',
      { messages: [{ role: 'assistant', parts: [{ type: 'text', text: 'x' }] }] },
      400,
      'neither',
    ],
    ['regenerate', { trigger: 'regenerate-message', messages: [] }, 400, 'not made anew'],
    ['64 kB and one', { message: 'x'.repeat(65_537) }, 413, '65536'],
    ['1 MB and more', { message: 'x'.repeat(1_100_000) }, 413, ''],
    ['too many messages', { messages: Array.from({ length: 2_001 }, () => 0) }, 400, 'messages'],
    ['tools without names', { id: 'x', mcp_tools: [{}] }, 400, 'function.name'],
  ])('are refused with %s', async (_, body, status, detail) => {
    const answer = await program.post(body);
    const problem = (await answer.json()) as { detail: string };
    expect(answer.status).toBe(status);
    expect(problem.detail).toContain(detail);
  });

  it('may be so many at once, for each user', async () => {
    const agent = await harness.addAgent({ execution: { default: 'require_approval' } });
    const gone = new AbortController();
    const open = async (subject: string) =>
      fetch(`${runner.origin}/api/chat`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${await harness.token(subject)}`,
        },
        body: JSON.stringify({ agent: agent.slug, message: 'go', await_approval: true }),
        signal: gone.signal,
      });
    const answers = [
      await open('zoe'),
      await open('zoe'),
      await open('zoe'),
      await open('zoe'),
      await open('ada'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 200]);
    gone.abort();
    await eventually(async () => (await program.get('/api/chat/none/stream', 'zoe')).status === 204);
  });

  it('keep no place for clients that went before they were let in', async () => {
    const token = await harness.token('impatient');
    const request = `GET /api/chat/none/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;
    const impatient = async () => {
      const socket = connect(Number(new URL(runner.origin).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.end(request);
      await once(socket, 'finish');
      socket.destroy();
    };
    for (let n = 0; n < 40; n++) await impatient();
    await eventually(async () => (await program.get('/api/chat/none/stream', 'impatient')).status === 204);
  });

  it('carry a token to be exchanged, sealed, only where an integration exchanges tokens', async () => {
    const agent = await harness.addAgent({ execution: { default: 'require_approval' } });
    const integrationId = await harness.runs.addTools([], 'exchanging', { auth_mode: 'token_exchange' });
    const body = { agent: agent.slug, message: 'go', stream: true };
    const refused = await eventually(async () => {
      const answer = await program.post(body);
      if (answer.status === 503) return (await answer.json()) as object;
      await answer.body?.cancel();
      return undefined;
    });
    expect(refused).toMatchObject({
      code: 'dependency_unavailable',
      detail: expect.stringContaining('token broker'),
    });
    await harness.addBrokerKey();
    const { runId } = await harness.parked(runner);
    const { run } = await harness.runs.data(runId);
    expect(run.caller.hasSubjectToken).toBe(true);
    expect(run.subjectToken?.split('.')).toHaveLength(5);
    await harness.runs.runs.cancel(run.orgId, runId);
    expect((await harness.runs.ended(runId)).run.subjectToken).toBeNull();
    await harness.runs.sql.query(`UPDATE registry.integrations SET auth_mode = 'none' WHERE id = $1`, [
      integrationId,
    ]);
    await eventually(async () => {
      const { body: answer } = await program.json({ agent: agent.slug, message: 'plain' });
      return !(await harness.runs.data(answer.run_id as string)).run.caller.hasSubjectToken;
    });
  });
});

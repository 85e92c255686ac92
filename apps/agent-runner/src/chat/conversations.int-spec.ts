import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { eventually, onBothQueueBackends } from '@switchyard/testing';
import { ChatHarness, type ChatRunner, textOf } from './chat-harness-spec.js';

const calls = (...names: string[]) => ({
  tool_calls: names.map((name, at) => ({ id: `c${at}`, name, arguments: { at } })),
});

onBothQueueBackends('conversations', (backend) => {
  let harness: ChatHarness;
  let runner: ChatRunner;
  let program: ReturnType<ChatHarness['program']>;

  beforeAll(async () => {
    harness = await ChatHarness.open(backend);
    await harness.runs.addTools(['add', 'drop']);
    runner = await harness.startRunner();
    program = harness.program(runner);
    harness.runs.script([
      { when: { step: 0, last_user: 'plain' }, answer: { text: 'Words.' } },
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

  it('list a user’s own, by agent and page by page, with titles', async () => {
    const [one, two] = [await harness.addAgent(), await harness.addAgent()];
    const long = `plain ${'é'.repeat(100)}`;
    const said: [string, string][] = [
      [one.slug, long],
      [two.slug, 'plain'],
      [one.slug, 'plain last'],
    ];
    const ids: string[] = [];
    for (const [agent, message] of said)
      ids.unshift((await program.json({ agent, message }, 'lea')).body.conversation_id as string);
    const list = async (query = '') => program.read(`/api/conversations${query}`, 'lea');
    const all = await list();
    expect(all.items.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(all.items[2]).toMatchObject({
      title: [...long].slice(0, 80).join(''),
      agent: { slug: one.slug },
    });
    const page = await list('?limit=2');
    expect(page.items).toHaveLength(2);
    expect((await list(`?cursor=${page.next_cursor}`)).items).toEqual(all.items.slice(2));
    expect((await list(`?agent=${two.slug}`)).items.map(({ id }: { id: string }) => id)).toEqual([ids[1]]);
    expect((await program.get('/api/conversations?cursor=x', 'lea')).status).toBe(400);
  });

  it('are with agents that the user may see, page by page, and no others', async () => {
    const slug = async (chatAccess: object) => (await harness.addAgent({ chatAccess })).slug;
    const open = [await slug({ everyone: true }), await slug({ everyone: true })];
    const orgId = await harness.runs.addOrganization(`neighbours-${backend.kind}`);
    const { slug: foreign } = await harness.addAgent({ orgId, chatAccess: { everyone: true } });
    const hidden = [await slug({ roles: ['boss'] }), await slug({ everyone: false }), foreign];
    const list = (query = '') => program.read(`/api/chat/agents${query}`, 'lea');
    const slugs = async (): Promise<string[]> =>
      (await list('?limit=200')).items.map((agent: { slug: string }) => agent.slug);
    const all = await eventually(async () => {
      const now = await slugs();
      return open.every((one) => now.includes(one)) && now;
    });
    expect(all).toEqual(all.toSorted());
    expect(all).toEqual(expect.arrayContaining(open));
    for (const one of hidden) expect(all).not.toContain(one);
    const first = await list('?limit=1');
    expect(first.items).toEqual([{ id: expect.any(String), slug: all[0], name: 'Helper' }]);
    expect((await list(`?limit=1&cursor=${first.next_cursor}`)).items[0].slug).toBe(all[1]);
    expect((await program.get('/api/chat/agents?cursor=x', 'lea')).status).toBe(400);
  });

  it('read messages as clients have them, the newest page first, and delete', async () => {
    const agent = await harness.addAgent();
    const id = 'my-chat';
    const runIds: string[] = [];
    for (const message of ['plain 1', 'plain 2', 'plain 3']) {
      const { body } = await program.json({ agent: agent.slug, id, message });
      runIds.push(body.run_id as string);
      await harness.runs.ended(body.run_id as string);
    }
    const read = async (query = '') => program.read(`/api/conversations/${id}${query}`);
    const newest = await read('?limit=2');
    expect(newest.messages.map((message: any) => [message.role, textOf(message)])).toEqual([
      ...[
        ['user', 'plain 2'],
        ['assistant', 'Words.'],
      ],
      ...[
        ['user', 'plain 3'],
        ['assistant', 'Words.'],
      ],
    ]);
    expect(newest.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8/);
    const older = await read(`?limit=2&cursor=${newest.next_cursor}`);
    expect(older.messages.map(({ id: of }: { id: string }) => of)).toEqual([`${runIds[0]}-user`, runIds[0]]);
    expect(older.next_cursor).toBeNull();
    const remove = () => harness.call(runner.origin, `/api/conversations/${id}`, { method: 'DELETE' });
    expect([(await remove()).status, (await remove()).status]).toEqual([204, 404]);
    expect((await harness.runs.data(runIds[0] ?? '')).run.conversationId).toBeNull();
  });

  it('keep one whose run is open, and attach to nothing that is over', async () => {
    const { id, runId } = await harness.parked(runner);
    expect((await harness.call(runner.origin, `/api/conversations/${id}`, { method: 'DELETE' })).status).toBe(
      409,
    );
    expect(await (await program.get(`/api/conversations/${id}`)).json()).toMatchObject({
      open_run: { id: runId, status: 'waiting_approval' },
    });
    const attached = await program.get(`/api/chat/${id}/stream`);
    expect(await attached.text()).toContain('tool-approval-request');
    await harness.call(runner.origin, `/api/chat/${id}/cancel`, { body: {} });
    await eventually(async () => (await program.get(`/api/chat/${id}/stream`)).status === 204);
  });
});

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { AdminApi } from '../harness/admin-api.js';
import type { Agent, Schedule, Webhook } from '../harness/agents-api.js';
import { ChatUser } from '../harness/chat-user.js';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { People } from '../harness/people.js';
import type { AgentsUnderTest } from './agents-under-test.js';
import { routesWithIds, type Route } from './routes-with-ids.js';
import { beginWaiting, effectTurns, lookAt, type WaitingCall } from './waiting-calls.js';

const tool = 'count-side-effect';
type Sender = Pick<AdminApi, 'send'>;

/** Another organization, whose admin and user know every id of this one. */
export function keepsNeighboursOut({ switchyard, agents, script, chatAs }: AgentsUnderTest): void {
  describe('another organization', () => {
    const undo = undoAfterAll();
    let neighbours: Record<'their admin key' | 'their admin' | 'their user', Sender>;
    let agent: Agent;
    let schedule: Schedule;
    let webhook: Webhook;
    let waiting: WaitingCall;
    let conversationId: string;
    let bob: ChatUser;
    let routes: Route[];

    /** The ids that stand in a path, ours. */
    const ours = (path: string): Record<string, string> => {
      const kinds: [RegExp, string][] = [
        [/\/schedules\//, schedule.id],
        [/\/webhooks\//, webhook.id],
        [/^\/api\/agents\//, agent.id],
        [/^\/api\/runs\//, waiting.runId],
        [/^\/api\/approvals\//, waiting.approvalId],
        [/^\/api\/(chat|conversations)\//, conversationId],
      ];
      const [, id] = kinds.find(([pattern]) => pattern.test(path)) ?? [];
      if (id === undefined) throw new Error(`${path}: nobody knows whose id that is`);
      return { id, agentId: agent.id };
    };
    const nobodys = () => ({ id: randomUUID(), agentId: randomUUID() });
    const fill = (path: string, ids: Record<string, string>) =>
      path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '');
    const answers = async (who: Sender, idsOf: (path: string) => Record<string, string>) => {
      const told: Record<string, unknown> = {};
      for (const { method, path, body } of routes) {
        const answer = await who.send<{ code?: string }>(method, fill(path, idsOf(path)), body);
        told[`${method} ${path}`] = [answer.status, answer.body?.code];
      }
      return told;
    };

    beforeAll(async () => {
      script([...effectTurns(`near_${tool}`), { times: 'any', answer: { text: 'Hello.' } }]);
      await connectFixture(switchyard(), 'near', undo);
      agent = await agents().make('next-door', { near: [tool] }, { default_policy: 'require_approval' });
      schedule = await agents().schedule(agent);
      webhook = await agents().webhook(agent);
      bob = await chatAs('bob');
      waiting = await beginWaiting(bob, agent.slug, 'next-door');
      conversationId = (await agents().run(waiting.runId)).conversation_id ?? '';
      routes = routesWithIds(await agents().admin.must('GET', '/api/openapi.json'));

      const admin = await switchyard().admin.makeOrganization('next-door');
      const users = { mallory: { roles: ['admin'] }, eve: { roles: [] } };
      const people = await People.start(switchyard(), { admin, users });
      undo(() => people.close());
      const chat = async (user: string) => new ChatUser(switchyard().origin(), await people.tokenOf(user));
      neighbours = {
        'their admin key': admin,
        'their admin': await chat('mallory'),
        'their user': await chat('eve'),
      };
    });

    it('is offered routes enough to try', () => {
      const tried = routes.map(({ method, path }) => `${method} ${path}`);
      for (const route of [
        'PATCH /api/agents/{id}',
        'POST /api/agents/{agentId}/schedules/{id}/run',
        'DELETE /api/agents/{agentId}/webhooks/{id}',
        'POST /api/approvals/{id}/approve',
        'POST /api/runs/{id}/cancel',
        'DELETE /api/conversations/{id}',
        'GET /api/chat/{id}/stream',
      ])
        expect(tried).toContain(route);
      expect(tried.length).toBeGreaterThan(25);
    });

    it.each(['their admin key', 'their admin', 'their user'] as const)(
      'finds nothing here: what %s is told of our ids, they are told of ids that nobody has',
      async (name) => {
        const told = await answers(neighbours[name], ours);
        const refused = Object.entries(told).filter(
          ([, answer]) => ![403, 404].includes((answer as [number])[0]),
        );
        expect(refused).toEqual([]);
        const { 'GET /api/chat/{id}/stream': _, ...ofOurs } = told;
        const { 'GET /api/chat/{id}/stream': __, ...ofNobodys } = await answers(neighbours[name], nobodys);
        expect(ofOurs).toEqual(ofNobodys);
        // An admin may ask; there is nothing for them. A chat is no admin key's.
        const isForbidden = ([route, [status]]: [string, [number]]) =>
          status === 403 && !/\/api\/(chat|conversations)\//.test(route);
        if (name !== 'their user')
          expect(Object.entries(ofOurs as Record<string, [number]>).filter(isForbidden)).toEqual([]);
      },
    );

    it('finds nothing in lists, and begins nothing', async () => {
      const { 'their admin key': admin, 'their user': eve } = neighbours;
      for (const query of [
        `/api/runs?agent_id=${agent.id}`,
        `/api/approvals?run_id=${waiting.runId}`,
        `/api/agents?slug=${agent.slug}`,
      ])
        expect([query, (await admin.send('GET', query)).body]).toEqual([
          query,
          expect.objectContaining({ items: [] }),
        ]);
      expect((await admin.send('GET', `/api/runs/export?agent_id=${agent.id}`)).text).toBe('');
      for (const body of [
        { agent: agent.id, message: 'hello', stream: false },
        { agent: agent.slug, message: 'hello', stream: false },
        { conversation_id: conversationId, message: 'hello', stream: false },
        { conversation_id: conversationId, mcp_tools: [{ approval_id: waiting.approvalId }] },
      ])
        expect([body, (await eve.send('POST', '/api/chat', body)).status]).toEqual([body, 404]);
    });

    it('neither does another user of this one find what is of one user', async () => {
      const carol = await chatAs('carol');
      const personal = routes.filter(({ path }) =>
        /^\/api\/(runs|chat|conversations|approvals)\//.test(path),
      );
      for (const { method, path, body } of personal)
        expect([path, (await carol.send(method, fill(path, ours(path)), body)).status]).toEqual([path, 404]);
    });

    it('has changed nothing', async () => {
      expect(await lookAt(bob, waiting)).toMatchObject({ body: { state: 'pending' } });
      expect(await agents().run(waiting.runId)).toMatchObject({ state: 'waiting_approval' });
      expect((await bob.send('GET', `/api/conversations/${conversationId}`)).status).toBe(200);
      const own = `/api/agents/${agent.id}`;
      for (const [path, before] of [
        [own, agent],
        [`${own}/schedules/${schedule.id}`, schedule],
        [`${own}/webhooks/${webhook.id}`, { ...webhook, secret: '[stored]' }],
      ] as const) {
        const { version } = before as unknown as { version: number };
        expect(await agents().admin.must('GET', path)).toMatchObject({ id: before.id, version });
      }
      expect(await agents().runs({ agent_id: agent.id })).toHaveLength(1);
    });
  });
}

import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import type { Agent, RunView, Schedule } from '../harness/agents-api.js';
import { undoAfterAll } from '../harness/connected-fixture.js';
import { bearer, toolNames } from '../harness/mcp-rpc.js';
import {
  type ProtectedIntegration,
  protectIntegration,
  untilListed,
} from '../identity/protected-integration.js';
import type { AgentsUnderTest } from './agents-under-test.js';
import { callsOnce } from './scripts.js';

const client = { client_id: 'switchyard-app', client_secret: 'a-secret-of-the-vendors-client-app' };
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

const pathsOf = ({ calls }: RunView) => calls.map(({ tool, auth_path }) => [tool, auth_path]);
const planned = ({ plan }: RunView) => plan?.tools.map(({ name }) => name);

/** One agent with one tool, whose integration has a credential for each user: the four who may be there. */
export function servesFourCallers({ switchyard, people, agents, script, chatAs }: AgentsUnderTest): void {
  describe('an agent with a tool of which each user has a credential of their own', () => {
    const undo = undoAfterAll();
    let mine: ProtectedIntegration;
    let agent: Agent;
    let nightly: Schedule;
    const seenBy = ({ seen }: ProtectedIntegration['upstream']) => seen.map(({ sub }) => sub);

    beforeAll(async () => {
      script(callsOnce('whoami', [{ name: 'mine_whoami' }]));
      mine = await protectIntegration(switchyard(), 'mine', undo);
      await people().connect('bob', mine.integration.id);
      const token = await people().tokenOf('bob');
      await untilListed(() => toolNames(switchyard().mcpUrl, bearer(token)), 'mine_whoami');
      agent = await agents().make('four-callers', { mine: ['whoami'] });
    });

    it('answers a user who has connected with their own data', async () => {
      const said = await (await chatAs('bob')).say(agent.slug, 'whoami');
      expect(said).toMatchObject({
        status: 'completed',
        output: { text: expect.stringContaining('"sub":"bob"') },
      });
      expect(pathsOf(await agents().run(said.run_id))).toEqual([['mine_whoami', 'user_token']]);
    });

    it('lets a user who has not connect, and goes on by itself with their own data', async () => {
      const carol = await chatAs('carol');
      const answer = await carol.stream(agent.slug, 'whoami');
      const { data } = await answer.until('data-needs_reauth');
      const page = `${switchyard().origin()}/integrations/${mine.integration.id}/connect`;
      expect(data).toMatchObject({ state: 'waiting', integration: 'mine', reauth_url: page });
      const runId = answer.parts[0]?.messageMetadata?.run_id ?? '';
      await eventually(async () => (await agents().run(runId)).state === 'waiting_reauth');
      expect(seenBy(mine.upstream)).not.toContain('carol');

      expect((await people().connect('carol', mine.integration.id)).status).toBe(200);
      await answer.ended;
      expect(answer.text()).toContain('"sub":"carol"');
      const run = await agents().run(runId);
      expect(run).toMatchObject({ state: 'completed', kind: 'chat' });
      expect(pathsOf(run)).toEqual([['mine_whoami', 'user_token']]);
      // The attempt before is in the ledger, as the user's own call.
      const { body: first } = await carol.send('GET', `/api/tool-calls/${String(data?.['call_id'])}`);
      expect(first).toMatchObject({ auth_path: 'needs_reauth', error: { code: 'needs_reauth' } });
      expect(run.calls[0]?.call_id).not.toBe(first['call_id']);
    });

    it('is not offered the tool by a schedule without a service user, as its admin was told', async () => {
      nightly = await agents().schedule(agent);
      const lost = { tool: 'mine_whoami', integration: 'mine', reason: 'no_identity' };
      expect(nightly.lost_unattended).toEqual([lost]);
      const saved = await agents().admin.must<Agent>('PATCH', `/api/agents/${agent.id}`, { name: 'Four' });
      expect(saved.lost_unattended).toEqual([lost]);

      const run = await agents().untilEnded(await agents().runNow(nightly));
      expect(run.plan).toEqual({ tools: [], left_out: [{ name: 'mine_whoami', reason: 'no_identity' }] });
      // The model asks for it all the same, and is told that there is no such tool.
      expect(run.calls).toMatchObject([{ auth_path: null, outcome: { problem: 'unknown_tool' } }]);
      expect(run.user_id).toBeNull();
    });

    it('answers the same schedule as the service user, once there is one', async () => {
      await (await chatAs('robot')).send('GET', '/api/runs');
      const path = `/api/integrations/${mine.integration.id}`;
      await agents().admin.must('PATCH', path, { service_user_id: await people().idOf('robot') });
      await people().connect('alice', mine.integration.id, { query: '?as=service', vendorUser: 'robot' });

      const run = await eventually(async () => {
        const ended = await agents().untilEnded(await agents().runNow(nightly));
        expect(planned(ended)).toEqual(['mine_whoami']);
        return ended;
      });
      expect(pathsOf(run)).toEqual([['mine_whoami', 'service_user']]);
      expect(run).toMatchObject({
        ...{ state: 'completed', user_id: null, kind: 'schedule' },
        output: { text: expect.stringContaining('"sub":"robot"') },
      });
      const shown = await agents().admin.must<Schedule>(
        'GET',
        `/api/agents/${agent.id}/schedules/${nightly.id}`,
      );
      expect(shown.lost_unattended).toEqual([]);
    });
  });

  describe('an agent with a tool for which users’ tokens are exchanged', () => {
    const undo = undoAfterAll();

    it('brings the token of who chats, and nobody’s where nobody is there', async () => {
      script(callsOnce('whoami', [{ name: 'swapped_whoami' }]));
      const { integration, upstream } = await protectIntegration(switchyard(), 'swapped', undo, {
        fields: ({ resource }) => ({
          auth_mode: 'token_exchange',
          oauth: { client_id: client.client_id, resource },
          client_secret: client.client_secret,
        }),
        vendor: {
          clients: [{ ...client, grant_types: [exchange, 'client_credentials'] }],
          trustedIssuers: [people().identityProvider.issuer],
        },
      });
      await switchyard().admin.untilState(integration.id, 'connected');
      const agent = await agents().make('exchanging', { swapped: ['whoami'] });

      const said = await (await chatAs('bob')).say(agent.slug, 'whoami');
      expect(said.output?.text).toContain('"sub":"bob"');
      expect(pathsOf(await agents().run(said.run_id))).toEqual([['swapped_whoami', 'exchanged_token']]);

      const run = await agents().untilEnded(await agents().runNow(await agents().schedule(agent)));
      expect(planned(run)).toEqual([]);
      expect(run.plan?.left_out).toEqual([{ name: 'swapped_whoami', reason: 'no_identity' }]);
      expect(upstream.seen.map(({ sub }) => sub)).toEqual(['bob']);
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { openToUsers, protectIntegration } from '../identity/protected-integration.js';
import { BffApi } from './bff-api.js';

const client = { client_id: 'bff-exchange', client_secret: 'a-secret-of-the-exchanging-client' };
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Calls run under the user's own identity, outlive the request that made them, and say what the user has to do. */
export function callsAsTheUser(switchyard: () => Switchyard, people: () => People): void {
  describe('calls as the user', () => {
    const undo = undoAfterAll();
    const as = async (user: string) => new BffApi(switchyard().origin(), await people().tokenOf(user));

    it('exchanges the token of each call’s user for one of the upstream', async () => {
      const { integration, upstream } = await protectIntegration(switchyard(), 'exchanged', undo, {
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
      for (const user of ['bob', 'carol']) {
        const bff = await as(user);
        await eventually(async () => (await bff.names()).includes('exchanged_whoami'), { timeoutMs: 15_000 });
        const { status, body } = await bff.call({ tool_id: `${integration.id}:whoami` });
        expect([status, body.result?.structuredContent]).toMatchObject([
          ...[200, { sub: user, aud: upstream.resource }],
        ]);
        // The answer does not wait for the ledger.
        const path = await eventually(
          async () => (await bff.record(body.call_id)).body.auth_path ?? undefined,
        );
        expect(path).toBe('exchanged_token');
      }
    });

    it('says where to connect, and goes on once the user has', async () => {
      const { integration } = await protectIntegration(switchyard(), 'consented', undo);
      const bff = await as('carol');
      await eventually(async () => (await bff.tools()).length > 0, { timeoutMs: 15_000 });
      await people().connect('carol', integration.id);
      await eventually(async () => (await bff.names()).includes('consented_whoami'), { timeoutMs: 15_000 });
      const other = await as('bob');
      const refused = await other.call({ name: 'consented_whoami' });
      expect([refused.status, refused.body]).toMatchObject([
        200,
        {
          status: 'failed',
          error: { code: 'needs_reauth', details: { reauth_url: expect.stringContaining(integration.id) } },
        },
      ]);
      expect((await bff.call({ name: 'consented_whoami' })).body).toMatchObject({
        ...{ status: 'completed', result: { structuredContent: { sub: 'carol' } } },
      });
    });

    it('answers pending when the caller’s patience ends, and completes later', async () => {
      const { upstream } = await connectFixture(switchyard(), 'patient', undo);
      await openToUsers(switchyard(), 'patient', undo);
      const bff = await as('bob');
      await eventually(async () => (await bff.names()).includes('patient_slow'), { timeoutMs: 15_000 });
      const call = { name: 'patient_slow', arguments: { ms: 2_500 } };
      const { status, body, headers } = await bff.call(call, { prefer: 'wait=1' });
      expect([status, body.status, headers.get('location')]).toEqual([
        ...[202, 'pending', `/api/bff/calls/${body.call_id}`],
      ]);
      const done = await eventually(
        async () => {
          const { body: now } = await bff.find(body.call_id);
          return now.status !== 'pending' && now;
        },
        { timeoutMs: 15_000 },
      );
      expect(done).toMatchObject({ status: 'completed', call_id: body.call_id });
      expect(upstream.callsOf('slow')).toHaveLength(1);
      expect((await (await as('carol')).find(body.call_id)).status).toBe(404);
    });
  });
}

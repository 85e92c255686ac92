import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, startAuthorizationServer, startProtectedUpstream } from '@switchyard/testing';
import { undoAfterAll } from '../harness/connected-fixture.js';
import { bearer, toolNames } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import {
  asyncWhoami,
  openToUsers,
  protectIntegration,
  untilListed,
  whoami,
} from './protected-integration.js';

const client = { client_id: 'switchyard-app', client_secret: 'a-secret-of-the-vendors-client-app' };

/** Every row of "Who a call runs as" in the architecture, by calls through both faces; the upstream says whom it saw. */
export function runsAsWhom(switchyard: () => Switchyard, people: () => People): void {
  describe('who a call runs as', () => {
    const undo = undoAfterAll();
    let user: string;
    let machine: string;
    const listed = (credential: string) => () => toolNames(switchyard().mcpUrl, bearer(credential));

    beforeAll(async () => {
      user = await people().tokenOf('bob');
      const slugs = ['static', 'own', 'code', 'served', 'swap'];
      machine = (await switchyard().admin.makeKey(Object.fromEntries(slugs.map((slug) => [slug, ['*']]))))
        .key;
    });

    it('headers: the integration’s own, for users and machines alike', async () => {
      const vendor = await startAuthorizationServer();
      const upstream = await startProtectedUpstream({ issuer: vendor.issuer });
      undo(() => Promise.all([vendor.close(), upstream.close()]));
      await openToUsers(switchyard(), 'static', undo);
      const token = await vendor.issueToken('static-account', upstream.resource, { ttlSeconds: 3_600 });
      await switchyard().admin.connect('static', upstream.url, {
        auth_mode: 'headers',
        headers: { Authorization: `Bearer ${token}` },
      });
      for (const credential of [user, machine]) {
        expect(await whoami(switchyard(), credential, 'static')).toMatchObject({ sub: 'static-account' });
        expect(await asyncWhoami(switchyard(), credential, 'static')).toMatchObject({
          ...{ status: 'completed', auth_path: 'static', sub: 'static-account' },
        });
      }
    });

    it('client_credentials: the integration’s own token, for users and machines alike', async () => {
      const { integration } = await protectIntegration(switchyard(), 'own', undo, {
        fields: () => ({
          auth_mode: 'client_credentials',
          oauth: { client_id: client.client_id },
          client_secret: client.client_secret,
        }),
        vendor: { clients: [{ ...client, grant_types: ['client_credentials'] }] },
      });
      await switchyard().admin.untilState(integration.id, 'connected');
      for (const credential of [user, machine]) {
        expect(await whoami(switchyard(), credential, 'own')).toMatchObject({ sub: client.client_id });
        expect(await asyncWhoami(switchyard(), credential, 'own')).toMatchObject({
          ...{ status: 'completed', auth_path: 'service_token', sub: client.client_id },
        });
      }
    });

    it('authorization_code: the user’s own token after one consent; nothing at all for a machine', async () => {
      const { integration } = await protectIntegration(switchyard(), 'code', undo);
      await whoami(switchyard(), user, 'code');
      const page = await people().connect('bob', integration.id);
      expect([page.status, page.html]).toEqual([200, expect.stringMatching(/connected/i)]);
      await switchyard().admin.untilState(integration.id, 'connected');
      await untilListed(listed(user), 'code_whoami');
      expect(await whoami(switchyard(), user, 'code')).toMatchObject({ sub: 'bob' });
      expect(await asyncWhoami(switchyard(), user, 'code')).toMatchObject({
        auth_path: 'user_token',
        sub: 'bob',
      });

      expect(await listed(machine)()).not.toContain('code_whoami');
      expect(await asyncWhoami(switchyard(), machine, 'code')).toMatchObject({
        error: { code: 'auth_context_unavailable' },
      });

      const other = await people().tokenOf('carol');
      expect(await listed(other)()).toContain('code_whoami');
      const reauthUrl = `${switchyard().origin()}/integrations/${integration.id}/connect`;
      expect(await whoami(switchyard(), other, 'code')).toMatchObject({
        code: 'needs_reauth',
        details: { integration: 'code', reauth_url: reauthUrl },
      });
      expect(await asyncWhoami(switchyard(), other, 'code')).toMatchObject({
        ...{ status: 'failed', auth_path: 'needs_reauth', error: { code: 'needs_reauth' } },
      });
    });

    it('authorization_code with a service user: that user where nobody is present, and never for a user', async () => {
      await asyncWhoami(switchyard(), await people().tokenOf('robot'), 'static');
      const serviceUserId = await people().idOf('robot');
      const { integration } = await protectIntegration(switchyard(), 'served', undo, {
        fields: () => ({ service_user_id: serviceUserId }),
      });
      await people().connect('alice', integration.id, { query: '?as=service', vendorUser: 'robot' });
      await switchyard().admin.untilState(integration.id, 'connected');
      await untilListed(listed(machine), 'served_whoami');
      expect(await whoami(switchyard(), machine, 'served')).toMatchObject({ sub: 'robot' });
      expect(await asyncWhoami(switchyard(), machine, 'served')).toMatchObject({
        ...{ auth_path: 'service_user', sub: 'robot' },
      });
      expect(await whoami(switchyard(), user, 'served')).toMatchObject({ code: 'needs_reauth' });

      await switchyard().admin.must('PATCH', `/api/users/${serviceUserId}`, { active: false });
      await untilListed(listed(machine), 'served_whoami', false);
      expect(await asyncWhoami(switchyard(), machine, 'served')).toMatchObject({
        error: { code: 'auth_context_unavailable' },
      });
      await switchyard().admin.must('PATCH', `/api/users/${serviceUserId}`, { active: true });
      await untilListed(listed(machine), 'served_whoami');
    });

    it('token_exchange: the user’s own token, exchanged; nothing at all for a machine', async () => {
      const { integration, upstream } = await protectIntegration(switchyard(), 'swap', undo, {
        fields: ({ resource }) => ({
          auth_mode: 'token_exchange',
          oauth: { client_id: client.client_id, resource },
          client_secret: client.client_secret,
        }),
        vendor: {
          clients: [
            {
              ...client,
              grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange', 'client_credentials'],
            },
          ],
          trustedIssuers: [people().identityProvider.issuer],
        },
      });
      await switchyard().admin.untilState(integration.id, 'connected');
      await untilListed(listed(user), 'swap_whoami');
      expect(await whoami(switchyard(), user, 'swap')).toMatchObject({ sub: 'bob', aud: upstream.resource });
      expect(await asyncWhoami(switchyard(), user, 'swap')).toMatchObject({
        ...{ auth_path: 'exchanged_token', sub: 'bob' },
      });
      expect(await listed(machine)()).not.toContain('swap_whoami');
      expect(await asyncWhoami(switchyard(), machine, 'swap')).toMatchObject({
        error: { code: 'auth_context_unavailable' },
      });
    });

    it('the admin sees who can use what, and auditors read every step of it', async () => {
      const actions = await eventually(async () => {
        const { items } = await switchyard().admin.must<{
          items: { action: string; auth_path: string | null }[];
        }>('GET', '/api/audit?limit=200');
        return items.length > 0 && items.map(({ action }) => action);
      });
      for (const action of [
        'consent_granted',
        'lease_granted',
        'lease_refused',
        'token_exchanged',
        'signed_in',
      ])
        expect(actions).toContain(action);
      expect(await switchyard().admin.must('GET', '/api/audit/verification')).toMatchObject({
        status: 'intact',
      });
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { undoAfterAll } from '../harness/connected-fixture.js';
import { inParallel } from '../harness/http.js';
import { bearer, callTool, errorOf, toolNames } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import {
  protectIntegration,
  type ProtectedIntegration,
  untilListed,
  whoami,
} from './protected-integration.js';

type Credential = { integration_id: string; state: string; state_reason?: string | null };

/** Refresh tokens that are spent once, over three dispatch workers and two brokers. */
export function refreshesOnce(switchyard: () => Switchyard, people: () => People): void {
  describe('an expired access token and a rotating refresh token', () => {
    const undo = undoAfterAll();

    /** Connected by bob, whose access token has just run out. */
    const expired = async (slug: string): Promise<ProtectedIntegration & { token: string }> => {
      const made = await protectIntegration(switchyard(), slug, undo, {
        vendor: { accessTokenTtlSeconds: 2 },
      });
      expect((await people().connect('bob', made.integration.id)).status).toBe(200);
      const token = await people().tokenOf('bob');
      await untilListed(() => toolNames(switchyard().mcpUrl, bearer(token)), `${slug}_whoami`);
      await eventually(async () => !errorOf((await call(slug, token)).body.result), { timeoutMs: 10_000 });
      made.vendor.accessTokenTtlSeconds = 300;
      made.upstream.revokeSeenTokens();
      return { ...made, token };
    };
    const call = (slug: string, token: string, id = 1) =>
      callTool(switchyard().mcpUrl, token, { name: `${slug}_whoami`, id });
    const credentialOf = async ({ integration, token }: { integration: { id: string }; token: string }) => {
      const answer = await fetch(`${switchyard().origin()}/api/credentials`, { headers: bearer(token) });
      const { items } = (await answer.json()) as { items: Credential[] };
      return items.find(({ integration_id }) => integration_id === integration.id);
    };

    it('cost one refresh for 100 calls at once, all of which succeed', async () => {
      const made = await expired('once');
      const before = made.vendor.refreshes();
      const answers = await inParallel(Array.from({ length: 100 }), 100, (_, at) =>
        call('once', made.token, at),
      );
      expect(answers.map(({ body }) => errorOf(body.result)?.code ?? 'ok')).toEqual(Array(100).fill('ok'));
      expect(made.vendor.refreshes() - before).toBe(1);
    });

    it('survive the death of the broker that refreshes: at most one refresh more, no family revoked', async () => {
      const made = await expired('killed');
      const before = made.vendor.refreshes();
      made.vendor.delayRefresh(3_000);
      const calling = inParallel(Array.from({ length: 20 }), 20, (_, at) => call('killed', made.token, at));
      await eventually(() => made.vendor.refreshesWaiting() > 0);
      // Only one of them holds the lock, and nobody can tell which.
      const brokers = switchyard().dev.pids['token-broker'];
      for (const pid of brokers) switchyard().kill(pid);
      await switchyard().untilReplaced('token-broker', brokers);
      made.vendor.delayRefresh(0);
      const answers = await calling;
      const codes = new Set(answers.map(({ body }) => errorOf(body.result)?.code ?? 'ok'));
      expect([...codes].filter((code) => !['ok', 'dependency_unavailable'].includes(code))).toEqual([]);
      await eventually(async () => !errorOf((await call('killed', made.token)).body.result), {
        timeoutMs: 20_000,
      });
      expect(made.vendor.refreshes(true) - before).toBeLessThanOrEqual(2);
      expect(await credentialOf(made)).toMatchObject({ state: 'active' });
    });

    it('wait for a vendor that is down: retryable, still active, and working again when it is back', async () => {
      const made = await expired('down');
      made.vendor.down = true;
      const { body } = await callTool(switchyard().mcpUrl, made.token, { name: 'down_whoami' });
      expect(errorOf(body.result)).toMatchObject({ code: 'authorization_server_unavailable' });
      expect(await credentialOf(made)).toMatchObject({ state: 'active' });
      made.vendor.down = false;
      await eventually(async () => !errorOf((await call('down', made.token)).body.result), {
        timeoutMs: 40_000,
      });
      expect(await toolNames(switchyard().mcpUrl, bearer(made.token))).toContain('down_whoami');
    });

    it('end with invalid_grant: needs_reauth, and after reconnecting the same call succeeds', async () => {
      const made = await expired('dead');
      made.vendor.invalidGrant('bob');
      expect(errorOf((await call('dead', made.token)).body.result)).toMatchObject({ code: 'needs_reauth' });
      expect(await credentialOf(made)).toMatchObject({ state: 'needs_reauth' });
      expect(await toolNames(switchyard().mcpUrl, bearer(made.token))).toContain('dead_whoami');
      expect((await people().connect('bob', made.integration.id)).status).toBe(200);
      await eventually(async () => 'sub' in (await whoami(switchyard(), made.token, 'dead')));
      expect(await credentialOf(made)).toMatchObject({ state: 'active' });
    });

    it('lead through more scopes where the upstream asks for them, and keep the others working', async () => {
      const made = await expired('step-up');
      const admin = () => callTool(switchyard().mcpUrl, made.token, { name: 'step-up_admin_only' });
      expect(errorOf((await admin()).body.result)).toMatchObject({
        code: 'scope_insufficient',
        details: { reauth_url: expect.stringContaining(made.integration.id) },
      });
      expect(await credentialOf(made)).toMatchObject({ state: 'needs_update' });
      expect(errorOf((await call('step-up', made.token)).body.result)).toBeUndefined();
      expect((await people().connect('bob', made.integration.id)).status).toBe(200);
      await eventually(async () => !errorOf((await admin()).body.result));
    });
  });
}

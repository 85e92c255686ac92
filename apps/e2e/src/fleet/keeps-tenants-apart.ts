import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { inParallel } from '../harness/http.js';
import { callTool, textOf } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

const callsPerTenant = 1_000;

/** Two organizations with integrations and requests of the same names. */
export function keepsTenantsApart(switchyard: () => Switchyard): void {
  describe('two tenants', () => {
    const undo = undoAfterAll();
    const tenants: Record<string, ConnectedFixture> = {};

    beforeAll(async () => {
      for (const name of ['tenant-a', 'tenant-b']) {
        const admin = await switchyard().admin.makeOrganization(name);
        tenants[name] = await connectFixture(switchyard(), 'twin', undo, { admin });
      }
    });

    it('with equal JSON-RPC ids each get their own answers, over both gateways', async () => {
      const { mcpUrls } = switchyard();
      const asked = Array.from({ length: 2 * callsPerTenant }, (_, at) => ({
        tenant: at % 2 ? 'tenant-a' : 'tenant-b',
        id: Math.floor(at / 2),
        url: mcpUrls[Math.floor(at / 4) % 2] ?? '',
      }));
      const answers = await inParallel(asked, 32, async ({ tenant, id, url }) => {
        const call = { name: 'twin_echo', id, arguments: { message: `${tenant} ${id}` } };
        return (await callTool(url, tenants[tenant]?.key ?? '', call)).body;
      });
      const wrong = answers.filter(
        (answer, at) =>
          answer.id !== asked[at]?.id ||
          textOf(answer.result) !== `Echo: ${asked[at]?.tenant} ${asked[at]?.id}`,
      );
      expect(wrong).toEqual([]);
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { bearer, callTool, rpc, toolNames } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

const limitMs = 2_000;

/** A key that is taken back is worth nothing, soon and everywhere. */
export function revokesKeys(switchyard: () => Switchyard): void {
  describe('a revoked virtual key', () => {
    const undo = undoAfterAll();

    it('stops working at both gateways within two seconds', async () => {
      await connectFixture(switchyard(), 'revoked', undo);
      const { admin, mcpUrls } = switchyard();
      const { id, key } = await admin.makeKey({ revoked: ['*'] });
      await Promise.all(mcpUrls.map((url) => eventually(() => toolNames(url, bearer(key)))));

      await admin.must('POST', `/api/virtual-keys/${id}/revoke`);
      const revokedAt = Date.now();
      await Promise.all(
        mcpUrls.map((url) =>
          eventually(async () => (await rpc(url, bearer(key), { method: 'tools/list' })).status === 401, {
            intervalMs: 10,
          }),
        ),
      );
      expect(Date.now() - revokedAt).toBeLessThan(limitMs);
      const called = await callTool(mcpUrls[1] ?? '', key, {
        name: 'revoked_echo',
        arguments: { message: 'x' },
      });
      expect(called).toMatchObject({ status: 401, body: { code: 'key_revoked' } });
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import { startFixtureUpstream } from '@switchyard/testing';
import { undoAfterAll } from '../harness/connected-fixture.js';
import { bearer, callTool, textOf, toolNames } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

type Imported = {
  results: { name: string; slug: string; status: string; id?: string; error?: { code: string } }[];
};

const token = 'imported-token-0123456789';

export function importsServers(switchyard: () => Switchyard): void {
  describe('an imported mcp.json', () => {
    const undo = undoAfterAll();

    it('registers its servers with their headers, and says what is wrong with the others', async () => {
      const { admin, mcpUrl } = switchyard();
      const upstream = await startFixtureUpstream({ requiredHeaders: { authorization: `Bearer ${token}` } });
      undo(() => upstream.close());
      const mcpServers = {
        'My Notes_2': { url: upstream.url, headers: { Authorization: `Bearer ${token}` } },
        shell: { command: 'bash', args: ['-c', 'id'] },
        nonsense: { colour: 'green' },
      };

      const { results } = await admin.must<Imported>('POST', '/api/import', { mcpServers });
      expect(results).toMatchObject([
        { name: 'My Notes_2', slug: 'my-notes-2', status: 'created', id: expect.any(String) },
        { name: 'shell', status: 'failed', error: { code: 'stdio_not_allowed' } },
        { name: 'nonsense', status: 'failed', error: { code: 'invalid_request' } },
      ]);
      const id = results[0]?.id ?? '';
      undo(() => admin.send('DELETE', `/api/integrations/${id}`));
      await admin.untilState(id, 'connected');
      expect(JSON.stringify(await admin.integration(id))).not.toContain(token);
      const { key } = await admin.makeKey({ my_notes_2: ['*'] });
      expect(await toolNames(mcpUrl, bearer(key))).toContain('my-notes-2_echo');
      const called = await callTool(mcpUrl, key, {
        name: 'my-notes-2_echo',
        arguments: { message: 'imported' },
      });
      expect(textOf(called.body.result)).toBe('Echo: imported');
    });

    it('that was imported before changes nothing', async () => {
      const { admin } = switchyard();
      const mcpServers = { again: { url: 'http://127.0.0.1:9/mcp', disabled: true } };
      const first = await admin.must<Imported>('POST', '/api/import', { mcpServers });
      undo(() => admin.send('DELETE', `/api/integrations/${first.results[0]?.id}`));
      const second = await admin.must<Imported>('POST', '/api/import', { mcpServers });
      expect(second.results).toMatchObject([{ name: 'again', status: 'skipped' }]);
    });
  });
}

import { beforeAll, describe, expect, it } from '@jest/globals';
import { startFixtureUpstream } from '@switchyard/testing';
import { undoAfterAll } from '../harness/connected-fixture.js';
import type { Switchyard } from '../harness/switchyard.js';

type Imported = { results: { status: string; error?: { code: string } }[] };

/** Every way to write an address that is not public (`architecture.md`, "Secrets"), and plain http. */
const forbidden = [
  'https://localhost/mcp',
  'https://localhost./mcp',
  'https://127.0.0.1/mcp',
  'https://2130706433/mcp',
  'https://0177.0.0.1/mcp',
  'https://0x7f.1/mcp',
  'https://127.1/mcp',
  'https://0.0.0.0/mcp',
  'https://10.0.0.1/mcp',
  'https://172.16.0.1/mcp',
  'https://192.168.1.1/mcp',
  'https://169.254.169.254/latest/meta-data/',
  'https://100.64.0.1/mcp',
  'https://[::1]/mcp',
  'https://[::]/mcp',
  'https://[fe80::1]/mcp',
  'https://[fd00::1]/mcp',
  'https://[fec0::1]/mcp',
  'https://[::ffff:127.0.0.1]/mcp',
  'https://[::ffff:7f00:1]/mcp',
  'https://[2002:7f00:1::]/mcp',
  'https://[64:ff9b::7f00:1]/mcp',
  'http://93.184.215.14/mcp',
  'https://user:password@93.184.215.14/mcp',
];

export function refusesPrivateAddresses(switchyard: () => Switchyard): void {
  describe('an upstream at an address that is not public https', () => {
    const undo = undoAfterAll();
    let reachable: string;
    let requests: string[];
    beforeAll(async () => {
      const upstream = await startFixtureUpstream();
      undo(() => upstream.close());
      ({ url: reachable, requests } = upstream);
    });

    const refused = { status: 403, body: { code: 'egress_denied' } };

    it.each(forbidden)('is egress_denied: %s', async (url) => {
      for (const type of ['http', 'sse']) {
        const body = { slug: 'private', transport: { type, url } };
        expect(await switchyard().admin.send('POST', '/api/integrations', body)).toMatchObject(refused);
      }
    });

    it('is egress_denied though a server answers there; nobody asks it', async () => {
      const { admin } = switchyard();
      const body = { slug: 'reachable', transport: { type: 'http', url: reachable } };
      expect(await admin.send('POST', '/api/integrations', body)).toMatchObject(refused);
      expect(requests).toEqual([]);
    });

    it('is egress_denied in an import and by an edit', async () => {
      const { admin } = switchyard();
      const mcpServers = { imported: { url: reachable } };
      const { results } = await admin.must<Imported>('POST', '/api/import', { mcpServers });
      expect(results).toMatchObject([{ status: 'failed', error: { code: 'egress_denied' } }]);

      const { id } = await admin.register('edited', 'https://93.184.215.14/mcp', { enabled: false });
      undo(() => admin.send('DELETE', `/api/integrations/${id}`));
      const edit = { transport: { type: 'http', url: reachable } };
      expect(await admin.send('PATCH', `/api/integrations/${id}`, edit)).toMatchObject(refused);
      expect(requests).toEqual([]);
    });
  });
}

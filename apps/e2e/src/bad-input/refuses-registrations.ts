import { describe, expect, it } from '@jest/globals';
import { undoAfterAll } from '../harness/connected-fixture.js';
import type { Switchyard } from '../harness/switchyard.js';

type Imported = { results: { name: string; status: string; error?: { code: string } }[] };

const notAllowed = {
  shell: { command: '/bin/sh', args: ['-c', 'id'] },
  npx: { command: 'npx', args: ['-y', 'evil'] },
  npxWithCode: { command: 'npx', args: ['-c', 'id'] },
  node: { command: process.execPath, args: ['-e', '1'] },
  relative: { command: '../../bin/sh' },
  moreArguments: { command: 'filesystem', args: ['/'] },
  preload: { command: 'memory', env: { LD_PRELOAD: '/tmp/evil.so' } },
  path: { command: 'memory', env: { PATH: '/tmp' } },
  options: { command: 'memory', env: { NODE_OPTIONS: '--require /tmp/evil.js' } },
} as const;

/** What an admin may not register, by whatever way. */
export function refusesRegistrations(switchyard: () => Switchyard): void {
  describe('a registration', () => {
    const undo = undoAfterAll();

    it('of a stdio server outside the allow-list is stdio_not_allowed in an import too', async () => {
      const { admin } = switchyard();
      const { results } = await admin.must<Imported>('POST', '/api/import', { mcpServers: notAllowed });
      expect(results).toMatchObject(
        Object.keys(notAllowed).map((name) => ({
          name,
          status: 'failed',
          error: { code: 'stdio_not_allowed' },
        })),
      );
      expect((await admin.integrations()).filter(({ transport }) => transport.type === 'stdio')).toEqual([]);
    });

    it.each(Object.entries(notAllowed))(
      'that becomes the stdio server "%s" by an edit is stdio_not_allowed',
      async (_, program) => {
        const { admin } = switchyard();
        const { id, transport } = await admin.register(`edited-${Date.now()}`, 'http://127.0.0.1:9/mcp', {
          enabled: false,
        });
        undo(() => admin.send('DELETE', `/api/integrations/${id}`));
        const { command, ...rest } = program;
        const args = 'args' in rest ? rest.args : [];
        const env = 'env' in rest ? { env: rest.env, auth_mode: 'headers' } : {};
        const answer = await admin.send('PATCH', `/api/integrations/${id}`, {
          transport: { type: 'stdio', command, args },
          ...env,
        });
        expect(answer).toMatchObject({ status: 403, body: { code: 'stdio_not_allowed' } });
        expect((await admin.integration(id)).transport).toEqual(transport);
      },
    );

    it.each(['javascript:alert(1)', 'file:///etc/passwd', 'unix:/var/run/docker.sock', 'ftp://127.0.0.1/'])(
      'of the address %s is egress_denied, here where loopback is allowed',
      async (url) => {
        const body = { slug: 'scheme', transport: { type: 'http', url } };
        expect(await switchyard().admin.send('POST', '/api/integrations', body)).toMatchObject({
          status: 403,
          body: { code: 'egress_denied' },
        });
      },
    );
  });
}

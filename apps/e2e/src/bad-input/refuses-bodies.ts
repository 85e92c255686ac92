import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { ask } from '../harness/http.js';
import { bearer, callTool, textOf } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

const slug = 'bodies';
const invalidRequest = { status: 400, body: { code: 'invalid_request' } };
const tooLarge = { status: 413, body: { code: 'payload_too_large' } };

const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
const long = `[${'1,'.repeat(999_999)}1]`;
const mcpCall = (args: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${slug}_echo","arguments":${args}}}`;
const asyncCall = (args: string): string => `{"tool":"${slug}_echo","arguments":${args}}`;

/** Bodies that would cost much to parse, or to wait for. */
export function refusesBodies(switchyard: () => Switchyard): void {
  describe('a body', () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    beforeAll(async () => {
      fixture = await connectFixture(switchyard(), slug, undo);
    });

    const post = (path: string, body: string, key = fixture.key) =>
      ask(new URL(path, switchyard().origin()), { headers: bearer(key), body });
    const asAdmin = (path: string, body: string) => post(path, body, switchyard().dev.admin_key);

    it.each([
      ['nested 20,000 levels deep', deep],
      ['with a million elements', `{"message":${long}}`],
    ])('%s is an invalid request, on /mcp in the words of JSON-RPC', async (_, args) => {
      expect(await post('/mcp', mcpCall(args))).toMatchObject({
        status: 400,
        body: { error: { code: -32600 } },
      });
      expect(await post('/api/tool-calls', asyncCall(args))).toMatchObject(invalidRequest);
    });

    it.each([
      ['an integration', '/api/integrations', `{"slug":"deep","transport":${deep}}`],
      ['tool overrides', '/api/integrations', `{"slug":"deep","tool_overrides":${deep}}`],
      ['an import', '/api/import', `{"mcpServers":{"deep":${deep}}}`],
      ['a virtual key', '/api/virtual-keys', `{"name":"deep","mcp_configs":${deep}}`],
    ])('of %s that is nested deep is an invalid request', async (_, path, body) => {
      expect(await asAdmin(path, body)).toMatchObject(invalidRequest);
    });

    it('over the limit is payload_too_large, whoever is behind the route', async () => {
      const filler = 'x'.repeat(5 * 1024 * 1024);
      expect(await post('/api/tool-calls', asyncCall(`{"message":"${filler}"}`))).toMatchObject(tooLarge);
      const integration = JSON.stringify({ slug: 'large', name: filler });
      expect(await asAdmin('/api/integrations', integration)).toMatchObject(tooLarge);
      expect(await asAdmin('/api/virtual-keys', `{"mcp_configs":${long}}`)).toMatchObject(tooLarge);
    });

    it.each(['/mcp', '/api/tool-calls', '/api/integrations'])(
      'that never arrives on %s is waited for a second',
      async (path) => {
        const key = path === '/api/integrations' ? switchyard().dev.admin_key : fixture.key;
        const answer = await trickle(new URL(path, switchyard().origin()), key);
        expect(answer).toMatch(/^HTTP\/1.1 400 /);
        expect(answer).toContain('"code":"invalid_request"');
        expect(answer).toContain('did not arrive within 1000 ms');
      },
    );

    it('that is good is answered after all of these', async () => {
      const { body } = await callTool(switchyard().mcpUrl, fixture.key, {
        name: `${slug}_echo`,
        arguments: { message: 'still there' },
      });
      expect(textOf(body.result)).toBe('Echo: still there');
    });
  });
}

/** Sends the head of a request and one byte of its body, and gives what was answered when the connection was cut. */
async function trickle(url: URL, key: string): Promise<string> {
  const socket = connect(Number(url.port), url.hostname);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  const closed = once(socket, 'close');
  const head = [`POST ${url.pathname} HTTP/1.1`, `host: ${url.host}`, `authorization: Bearer ${key}`];
  socket.write([...head, 'content-type: application/json', 'content-length: 1000', '', '{'].join('\r\n'));
  await closed;
  return answer;
}

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { bearer, rpc, textOf, toolNames } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';
import { ToolCallsApi } from '../harness/tool-calls-api.js';

const slug = 'granted';

/** Who holds a key sees and calls what it grants, and cannot tell all else from what does not exist. */
export function keepsToGrants(switchyard: () => Switchyard): void {
  describe('a virtual key', () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    let strangersKey: string;

    beforeAll(async () => {
      fixture = await connectFixture(switchyard(), slug, undo);
      const stranger = await switchyard().admin.makeOrganization('strangers');
      await connectFixture(switchyard(), 'own', undo, { admin: stranger });
      ({ key: strangersKey } = await stranger.makeKey({ [slug]: ['*'], own: ['*'] }));
    });

    const call = async (headers: Record<string, string>, name: string) =>
      (
        await rpc(switchyard().mcpUrl, headers, {
          method: 'tools/call',
          params: { name, arguments: { message: 'x' } },
        })
      ).body;

    /** The answer to a call, with the tool's name taken out. */
    const answerTo = async (key: string, name: string): Promise<string> =>
      JSON.stringify(await call(bearer(key), name)).replaceAll(name, 'NAME');

    describe.each([
      ['Authorization', (key: string) => bearer(key)],
      ['X-Api-Key', (key: string) => ({ 'x-api-key': key })],
      ['x-bf-virtual-key', (key: string) => ({ 'x-bf-virtual-key': key })],
    ])('in %s', (_, headersOf) => {
      it('sees and calls its tools alone', async () => {
        const { key } = await fixture.admin.makeKey({ [slug]: ['echo', 'add'] });
        const headers = headersOf(key);
        expect(await toolNames(switchyard().mcpUrl, headers)).toEqual([`${slug}_add`, `${slug}_echo`]);
        expect(textOf((await call(headers, `${slug}_echo`)).result)).toBe('Echo: x');
        expect((await call(headers, `${slug}_count-side-effect`)).error).toMatchObject({
          code: -32602,
          data: { code: 'tool_not_found' },
        });
      });
    });

    it.each([
      `${slug}_whoami`,
      `${slug}_Echo`,
      `${slug.toUpperCase()}_echo`,
      'echo',
      `${slug}_echo `,
      `${slug}__echo`,
    ])('without the grant of %j is told what it is told of a tool that is not there', async (name) => {
      const { key } = await fixture.admin.makeKey({ [slug]: ['echo'] });
      expect(await answerTo(key, name)).toBe(await answerTo(key, 'no-such_tool'));
    });

    it('without any grant sees nothing', async () => {
      const { key } = await fixture.admin.makeKey({});
      expect(await toolNames(switchyard().mcpUrl, bearer(key))).toEqual([]);
    });

    it('of another organization cannot tell that the tools exist, though it names them in its grant', async () => {
      const names = await toolNames(switchyard().mcpUrl, bearer(strangersKey));
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter((name) => !name.startsWith('own_'))).toEqual([]);
      expect(await answerTo(strangersKey, `${slug}_echo`)).toBe(await answerTo(strangersKey, 'no-such_tool'));
      const api = new ToolCallsApi(switchyard().origin, strangersKey);
      const [hidden, missing] = [await api.send(`${slug}_echo`, {}), await api.send('no-such_tool', {})];
      expect(hidden).toMatchObject({ status: 404, body: { code: 'tool_not_found' } });
      expect({ ...hidden.body, request_id: null }).toEqual({ ...missing.body, request_id: null });
    });

    it('reads and cancels its own calls alone', async () => {
      const callId = await fixture.calls.accept(`${slug}_echo`, { message: 'mine' });
      await fixture.calls.untilEnded(callId);
      const { key: neighbour } = await fixture.admin.makeKey({ [slug]: ['*'] });
      for (const key of [neighbour, strangersKey]) {
        const api = new ToolCallsApi(switchyard().origin, key);
        for (const id of [callId, randomUUID()]) {
          expect(await api.find(id)).toMatchObject({ status: 404, body: { code: 'not_found' } });
          expect(await api.cancel(id)).toMatchObject({ status: 404, body: { code: 'not_found' } });
        }
      }
    });
  });
}

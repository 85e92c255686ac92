import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { ask } from '../harness/http.js';
import { bearer, errorOf, type RpcAnswer, textOf } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

const slug = 'once';
const tool = `${slug}_count-side-effect`;

/** `Idempotency-Key`, on the async API and on `/mcp`. */
export function repeatsNothing(switchyard: () => Switchyard): void {
  describe('a call with an Idempotency-Key', () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    beforeAll(async () => {
      fixture = await connectFixture(switchyard(), slug, undo);
    });

    const ran = (id: string): number =>
      fixture.upstream.callsOf('count-side-effect').filter((call) => call.arguments['id'] === id).length;
    const overMcp = async (idempotencyKey: string, id: string) => {
      const headers = { ...bearer(fixture.key), 'idempotency-key': idempotencyKey };
      const params = { name: tool, arguments: { id, ms: 200 } };
      return (
        await ask<RpcAnswer>(switchyard().mcpUrl, {
          headers,
          body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
        })
      ).body.result;
    };

    it('runs once however often it is accepted, and gives the first call each time', async () => {
      const accept = () => fixture.calls.accept(tool, { id: 'a', ms: 50 }, { idempotencyKey: 'key-a' });
      const ids = await Promise.all(Array.from({ length: 10 }, accept));
      expect(new Set(ids).size).toBe(1);
      const ended = await fixture.calls.untilEnded(ids[0] ?? '');
      expect(await accept()).toBe(ids[0]);
      expect(ended).toMatchObject({ status: 'completed', result: { content: [{ text: 'Done: a' }] } });
      expect(ran('a')).toBe(1);
    });

    it('runs once over /mcp, and every asker gets the one result', async () => {
      const results = await Promise.all(Array.from({ length: 5 }, () => overMcp('key-b', 'b')));
      expect(results.map(textOf)).toEqual(Array.from({ length: 5 }, () => 'Done: b'));
      expect(textOf(await overMcp('key-b', 'b'))).toBe('Done: b');
      expect(ran('b')).toBe(1);
    });

    it('with other arguments, or for another tool, is idempotency_conflict', async () => {
      await fixture.calls.accept(tool, { id: 'c' }, { idempotencyKey: 'key-c' });
      for (const [name, args] of [
        [tool, { id: 'd' }],
        [`${slug}_safe-read`, { id: 'c' }],
      ] as const) {
        const answer = await fixture.calls.send(name, args, { idempotencyKey: 'key-c' });
        expect(answer).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
      }
      expect(errorOf(await overMcp('key-c', 'd'))).toMatchObject({ code: 'idempotency_conflict' });
      expect(ran('d')).toBe(0);
    });

    it('does not meet the key of another virtual key', async () => {
      const { key } = await fixture.admin.makeKey({ [slug]: ['*'] });
      const own = await fixture.calls.accept(tool, { id: 'e' }, { idempotencyKey: 'key-e' });
      const headers = { ...bearer(key), 'idempotency-key': 'key-e' };
      const body = { tool, arguments: { id: 'f' } };
      const others = await ask<{ call_id: string }>(new URL('/api/tool-calls', switchyard().origin()), {
        headers,
        body,
      });
      expect(others.status).toBe(202);
      expect(others.body.call_id).not.toBe(own);
    });
  });
}

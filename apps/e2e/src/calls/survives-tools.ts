import { beforeAll, describe, expect, it } from '@jest/globals';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { callTool, errorOf, textOf } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

const slug = 'odd';
const overrides = { hang: { deadline_ms: 1_000 }, 'safe-read': { deadline_ms: 1_000 } };

/** Tools that do not answer, that answer too much, or that answer badly. */
export function survivesTools(switchyard: () => Switchyard): void {
  describe('a tool', () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    beforeAll(async () => {
      fixture = await connectFixture(switchyard(), slug, undo, { fields: { tool_overrides: overrides } });
    });

    const call = async (tool: string, args: object = {}) =>
      (await callTool(switchyard().mcpUrl, fixture.key, { name: `${slug}_${tool}`, arguments: args })).body;

    it('that never answers ends at its deadline as outcome_unknown, for it is not safe', async () => {
      expect(errorOf((await call('hang')).result)).toMatchObject({
        code: 'outcome_unknown',
        call_id: expect.any(String),
      });
    });

    it('that is safe and does not answer in time ends as deadline_exceeded', async () => {
      expect(errorOf((await call('safe-read', { ms: 4_000 })).result)).toMatchObject({
        code: 'deadline_exceeded',
      });
    });

    it('that answers 50 MB ends as result_too_large, which says how large', async () => {
      const error = errorOf((await call('big', { bytes: 50 * 1024 * 1024 })).result);
      expect(error).toMatchObject({ code: 'result_too_large', details: { limit_bytes: expect.any(Number) } });
      expect(textOf((await call('echo', { message: 'still there' })).result)).toBe('Echo: still there');
    });

    it('may answer up to the limit, and no byte more', async () => {
      const frame = JSON.stringify({ content: [{ type: 'text', text: '' }] }).length;
      const limit = 250_000 - frame;
      expect(textOf((await call('big', { bytes: limit - 200 })).result)).toHaveLength(limit - 200);
      const error = errorOf((await call('big', { bytes: 250_000 })).result);
      expect(error).toMatchObject({
        code: 'result_too_large',
        details: { size_bytes: expect.any(Number), limit_bytes: 250_000 },
      });
    });

    it('that fails has completed: its own words reach the caller, and the ledger', async () => {
      expect((await call('fail')).result).toMatchObject({
        isError: true,
        content: [{ text: 'The tool failed on purpose.' }],
      });
      const callId = await fixture.calls.accept(`${slug}_fail`, {});
      expect(await fixture.calls.untilEnded(callId)).toMatchObject({
        status: 'completed',
        result: { isError: true },
      });
    });

    it('that answers with a protocol error ends as upstream_protocol_error, with what it said', async () => {
      expect(errorOf((await call('protocol-error')).result)).toMatchObject({
        code: 'upstream_protocol_error',
        details: { upstream_code: -32050 },
      });
    });

    it('whose answer is lost ends as outcome_unknown if unsafe; if safe it is asked again', async () => {
      fixture.upstream.failNext({ method: 'tools/call', drop: 'handled' });
      expect(errorOf((await call('count-side-effect', { id: 'lost' })).result)).toMatchObject({
        code: 'outcome_unknown',
      });
      expect(fixture.upstream.callsOf('count-side-effect')).toHaveLength(1);
      fixture.upstream.failNext({ method: 'tools/call', drop: 'handled' });
      expect(textOf((await call('echo', { message: 'twice' })).result)).toBe('Echo: twice');
    });

    it('of a busy server is waited for as long as it asks', async () => {
      fixture.upstream.failNext({ method: 'tools/call', status: 429, headers: { 'retry-after': '1' } });
      const startedAt = Date.now();
      expect(textOf((await call('count-side-effect', { id: 'patient' })).result)).toBe('Done: patient');
      expect(Date.now() - startedAt).toBeGreaterThan(900);
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import { eventually, startFixtureUpstream } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { callTool, errorOf, textOf } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

const slug = 'breaking';

/** The circuit breaker. */
export function stopsCalling(switchyard: () => Switchyard): void {
  describe('an integration that fails five times in a row', () => {
    const undo = undoAfterAll();

    it('is called no more until an admin resets its breaker', async () => {
      const { upstream, integration, key, admin } = await connectFixture(switchyard(), slug, undo);
      const call = async (message: string) =>
        (await callTool(switchyard().mcpUrl, key, { name: `${slug}_echo`, arguments: { message } })).body
          .result;
      await upstream.close();

      // At once: one after the other they would race with the health checks, which also notice that it is gone.
      const failures = await Promise.all(Array.from({ length: 5 }, () => call('x')));
      for (const failure of failures)
        expect(errorOf(failure)).toMatchObject({ code: 'upstream_unreachable' });
      const refused = await eventually(async () => {
        const error = errorOf(await call('x'));
        return error?.code === 'circuit_open' && error;
      });
      expect(refused).toMatchObject({ retry_after_ms: expect.any(Number) });
      const again = await startFixtureUpstream({ port: upstream.port });
      undo(() => again.close());
      expect(errorOf(await call('x'))).toMatchObject({ code: 'circuit_open' });
      expect(await admin.integration(integration.id)).toMatchObject({
        breaker: { state: 'open', failures: 5 },
      });

      await admin.must('POST', `/api/integrations/${integration.id}/breaker/reset`);
      await eventually(async () => expect(textOf(await call('back'))).toBe('Echo: back') ?? true);
      expect(await admin.integration(integration.id)).toMatchObject({
        breaker: { state: 'closed', failures: 0 },
      });
    });
  });
}

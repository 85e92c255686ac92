import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import type { Service } from '../harness/dev-file.js';
import { callTool } from '../harness/mcp-rpc.js';
import { sumOfMetric } from '../harness/metrics.js';
import type { Switchyard } from '../harness/switchyard.js';

const slug = 'measured';
type Labels = Record<string, string>;

/** `/metrics` of the processes. */
export function exposesMetrics(switchyard: () => Switchyard): void {
  describe('the metrics', () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    beforeAll(async () => {
      // Safe, so that it can be cancelled while it runs.
      const fields = { tool_overrides: { hang: { safe: true } } };
      fixture = await connectFixture(switchyard(), slug, undo, { fields });
    });

    const metric = (service: Service, name: string, labels: Labels = {}) =>
      sumOfMetric(switchyard().dev.ops_urls[service], name, labels);
    const call = (tool: string) =>
      callTool(switchyard().mcpUrl, fixture.key, {
        name: `${slug}_${tool}`,
        arguments: tool === 'echo' ? { message: 'x' } : {},
      });

    it('of dispatch have depth and age of each lane', async () => {
      const lane = (queue: string, state: string) => metric('dispatch', 'queue_jobs', { queue, state });
      const ids = await Promise.all(
        Array.from({ length: 4 }, () => fixture.calls.accept(`${slug}_hang`, {})),
      );
      const background = 'tool-calls-background';
      await eventually(async () => {
        expect([await lane(background, 'active'), await lane(background, 'waiting')]).toEqual([1, 3]);
        const age = { queue: background };
        expect(await metric('dispatch', 'queue_oldest_waiting_seconds', age)).toBeGreaterThan(0);
        return true;
      });
      expect(await lane('tool-calls-interactive', 'waiting')).toBe(0);

      for (const id of ids.reverse()) await fixture.calls.cancel(id);
      await eventually(
        async () => (await lane(background, 'waiting')) + (await lane(background, 'active')) === 0,
      );
      expect(await metric('dispatch', 'queue_oldest_waiting_seconds', { queue: background })).toBe(0);
    });

    it('of gateway and dispatch count calls by outcome', async () => {
      const counts = () =>
        Promise.all([
          metric('gateway', 'gateway_calls_total', { outcome: 'completed' }),
          metric('gateway', 'gateway_calls_total', { outcome: 'failed' }),
          metric('gateway', 'gateway_calls_total', { outcome: 'tool_not_found' }),
          metric('dispatch', 'switchyard_calls_total', { lane: 'interactive', outcome: 'completed' }),
          metric('dispatch', 'switchyard_calls_total', {
            lane: 'interactive',
            outcome: 'failed',
            code: 'upstream_protocol_error',
          }),
        ]);
      const before = await counts();
      for (const tool of ['echo', 'echo', 'fail', 'protocol-error', 'nothing']) await call(tool);
      // The tool that failed by its own words has completed.
      const wanted = [3, 1, 1, 3, 1].map((more, at) => (before[at] ?? 0) + more);
      await eventually(async () => expect(await counts()).toEqual(wanted) ?? true);
    });

    it('of gateway and dispatch have the latency of each step', async () => {
      const steps = [
        ...['resolve', 'validate', 'await', 'total'].map((step) => ['gateway', 'gateway', step] as const),
        ...['fence', 'upstream', 'record'].map((step) => ['dispatch', 'switchyard', step] as const),
      ];
      const counts = () =>
        Promise.all(
          steps.map(([service, prefix, step]) =>
            metric(service, `${prefix}_call_step_seconds_count`, { step }),
          ),
        );
      const before = await counts();
      await call('count-side-effect');
      await eventually(async () => expect(await counts()).toEqual(before.map((count) => count + 1)) ?? true);
      expect(await metric('dispatch', 'switchyard_call_queue_wait_seconds_count')).toBeGreaterThan(0);
    });

    it('of catalog-sync have the state of each upstream', async () => {
      const state = (name: string) =>
        metric('catalog-sync', 'switchyard_upstream_state', { slug, state: name });
      await eventually(async () => (await state('connected')) === 1);
      await fixture.upstream.close();
      await eventually(async () => (await state('disconnected')) === 1, { timeoutMs: 30_000 });
      expect(await state('connected')).toBe(0);
    });

    it.each(['registry', 'catalog-sync', 'token-broker', 'dispatch', 'gateway'] as const)(
      'of %s tell of its process',
      async (service) => {
        expect(await metric(service, 'process_resident_memory_bytes')).toBeGreaterThan(0);
        expect(await metric(service, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
      },
    );
  });
}

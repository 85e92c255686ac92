import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ToolCallJob } from '@switchyard/contracts';
import { onBothQueueBackends } from '@switchyard/testing';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

const slow = { jsonrpc: '2.0', method: 'tools/call', params: { name: 'up_slow', arguments: {} } };

onBothQueueBackends('cancellation', (backend) => {
  let harness: GatewayHarness;
  let gateways: TestGateway[];
  let key: string;
  let cancelled: string[];
  const taken: ToolCallJob[] = [];

  beforeAll(async () => {
    harness = await GatewayHarness.open(backend);
    harness.work(async (job, { signal }) => {
      taken.push(job);
      if (job.sealed.call.tool === 'quick') return completed(job, textResult('quick'));
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    cancelled = harness.takeCancellations();
    await harness.addIntegration('up', [{ name: 'slow' }, { name: 'quick' }]);
    ({ key } = await harness.addKey());
    gateways = await Promise.all([harness.startGateway(), harness.startGateway()]);
  }, 120_000);
  afterAll(async () => {
    await harness.queue.close({ limitMs: 0 });
    await harness.close();
  });

  it.each([0, 1])('by a legacy client reaches the call from replica %d', async (at) => {
    const headers = await openSession(gateways[0] as TestGateway);
    const before = taken.length;
    const answer = rpc(
      gateways[0]?.mcpUrl ?? '',
      { ...slow, id: 7 },
      { ...headers, accept: 'application/json, text/event-stream' },
    );
    await until(() => expect(taken.length).toBe(before + 1));
    const notification = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 7, reason: 'enough' },
    };
    expect((await rpc(gateways[at]?.mcpUrl ?? '', notification, headers)).status).toBe(202);
    expect(await answer).toMatchObject({ status: 200, body: '' });
    await until(() => expect(cancelled).toContain(taken.at(-1)?.sealed.call.callId));
  });

  it('of another session’s request, or of another type of id, does nothing', async () => {
    const gateway = gateways[0] as TestGateway;
    const headers = await openSession(gateway);
    const other = await openSession(gateway);
    const before = taken.length;
    const abort = new AbortController();
    const answer = fetch(gateway.mcpUrl, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ ...slow, id: 7 }),
      signal: abort.signal,
    });
    answer.catch(() => undefined);
    await until(() => expect(taken.length).toBe(before + 1));
    const notification = (requestId: unknown) => ({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId },
    });
    await rpc(gateway.mcpUrl, notification(7), other);
    await rpc(gateway.mcpUrl, notification('7'), headers);
    await rpc(gateway.mcpUrl, notification(7), bearer(key));
    const quick = { ...slow, id: 8, params: { name: 'up_quick', arguments: {} } };
    await rpc(gateway.mcpUrl, quick, headers);
    expect(cancelled).not.toContain(taken[before]?.sealed.call.callId);
    abort.abort();
    await until(() => expect(cancelled).toContain(taken[before]?.sealed.call.callId));
  });

  it('follows when a client of 2026-07-28 closes its request', async () => {
    const client = await harness.modernClient(gateways[0]?.mcpUrl ?? '', key);
    const before = taken.length;
    const abort = new AbortController();
    const call = client.callTool({ name: 'up_slow', arguments: {} }, { signal: abort.signal });
    await until(() => expect(taken.length).toBe(before + 1));
    abort.abort();
    await expect(call).rejects.toBeDefined();
    await until(() => expect(cancelled).toContain(taken.at(-1)?.sealed.call.callId));
  });

  it('leaves a call with an Idempotency-Key to run when its caller merely disconnects', async () => {
    const before = taken.length;
    const abort = new AbortController();
    const answer = fetch(gateways[0]?.mcpUrl ?? '', {
      method: 'POST',
      headers: { ...bearer(key), 'content-type': 'application/json', 'idempotency-key': 'later' },
      body: JSON.stringify({ ...slow, id: 1 }),
      signal: abort.signal,
    });
    answer.catch(() => undefined);
    await until(() => expect(taken.length).toBe(before + 1));
    abort.abort();
    const quick = { ...slow, id: 2, params: { name: 'up_quick', arguments: {} } };
    await rpc(gateways[0]?.mcpUrl ?? '', quick, bearer(key));
    expect(cancelled).not.toContain(taken[before]?.sealed.call.callId);
  });

  async function openSession(gateway: TestGateway): Promise<Record<string, string>> {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    };
    const message = { jsonrpc: '2.0', id: 1, method: 'initialize', params };
    const opened = await rpc(gateway.mcpUrl, message, bearer(key));
    return { ...bearer(key), 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  }
});

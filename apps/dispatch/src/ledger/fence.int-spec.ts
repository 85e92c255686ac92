import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { onBothQueueBackends } from '@switchyard/testing';
import { DispatchHarness } from '../dispatch-harness-spec.js';
import { ledgerRow } from './ledger-row.js';
import { LedgerRepository } from './ledger.repository.js';
import { LedgerService } from './ledger.service.js';

onBothQueueBackends('the fence of a call', (backend) => {
  let harness: DispatchHarness;
  let integrationId: string;
  beforeAll(async () => {
    harness = await DispatchHarness.open(backend);
    integrationId = await harness.insertIntegration(
      'up',
      { type: 'http', url: 'http://127.0.0.1:9/mcp' },
      [],
    );
  }, 120_000);
  afterAll(() => harness?.close());

  it('is asked again where the sweeper gave the call back between the two looks: nobody is told that it waits', async () => {
    const job = harness.job(integrationId, 'up_safe-read', {}, { lane: 'background', ledgerFirst: true });
    await harness.accept(job);
    const { callId } = job.sealed.call;
    const ledger = new LedgerService(new LedgerRepository(harness.sql), () => undefined);
    const row = ledgerRow(job, {
      ...{ status: 'running', integrationSlug: 'up', safe: true, authPath: null, attempts: 1, traceId: null },
      ...{
        workerId: randomUUID(),
        holder: randomUUID(),
        startedAt: Date.now(),
        endedAt: null,
        outcome: null,
      },
      ...{ resultText: null, resultBytes: null, keepArguments: true },
    });
    let isOver = false;
    const sweeping = (async () => {
      while (!isOver)
        await harness.sql.query(
          `UPDATE dispatch.tool_calls SET status = 'queued' WHERE call_id = $1 AND status = 'running'`,
          [callId],
        );
    })();
    const found = new Set<string>();
    for (let n = 0; n < 2_000; n++) {
      const fence = await ledger.fence(row);
      found.add(fence === true ? 'mine' : fence.status);
    }
    isOver = true;
    await sweeping;
    expect([...found].sort()).toEqual(['mine', 'running']);
  });
});

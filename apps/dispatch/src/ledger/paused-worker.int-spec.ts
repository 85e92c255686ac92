import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type LeaseAnswer, type LeaseRequest, queues, toolCallQueue } from '@switchyard/contracts';
import {
  eventually,
  type FixtureUpstream,
  startFixtureUpstream,
  testRedisUrl,
  workspaceRoot,
} from '@switchyard/testing';
import { CompactEncrypt, importJWK } from 'jose';
import { DispatchHarness } from '../dispatch-harness-spec.js';

jest.setTimeout(90_000);

let harness: DispatchHarness;
let upstream: FixtureUpstream;
let up: string;
let leased: string;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.ts'], { cwd: workspaceRoot() });
  const url = await testRedisUrl();
  harness = await DispatchHarness.open({ kind: 'redis', url: () => url });
  upstream = await startFixtureUpstream({ era: 'modern' });
  const transport = { type: 'http', url: upstream.url } as const;
  const wires = upstream.tools().map(({ wire }) => wire);
  up = await harness.insertIntegration('up', transport, wires, { max_concurrency: 1 });
  const headers = { auth_mode: 'headers', header_names: ['X-Any'] };
  leased = await harness.insertIntegration('limited', transport, wires, headers);
}, 120_000);
afterEach(async () => {
  harness.killSpawned();
  await harness.sql.query('DELETE FROM dispatch.slots');
});
afterAll(async () => {
  await harness.close();
  await upstream.close();
}, 60_000);

const timesSent = (id: string) =>
  upstream.callsOf('count-side-effect').filter(({ arguments: args }) => args['id'] === id).length;

/** Everything that was made a job has come to its end, the paused worker's too. */
async function quiet(): Promise<void> {
  await eventually(async () => {
    const { waiting, delayed, active } = await harness.queue.counts(toolCallQueue('interactive'));
    return waiting + delayed + active === 0;
  });
}

/** A call of an unsafe tool whose worker is paused once it has asked for a slot and before it hears the answer. */
async function pausedAtTheLimit(id: string) {
  const worker = await harness.spawnWorker();
  const job = harness.job(
    up,
    'up_count-side-effect',
    { id, ms: 4_000 },
    { deadlineMs: 80_000, ledgerFirst: true },
  );
  await harness.accept(job);
  const slotLock = `hashtextextended('slot' || '${up}', 0)`;
  const askers = async (sql = harness.sql) => {
    const text = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`;
    return (await sql.query(text)).length;
  };
  const outcome = await harness.sql.transaction(async (sql) => {
    await sql.query(`SELECT pg_advisory_xact_lock(${slotLock})`);
    const sent = harness.send(job);
    await eventually(async () => (await askers(sql)) === 1);
    worker.kill('SIGSTOP');
    return { sent };
  });
  await eventually(async () => (await askers()) === 0);
  return { ...outcome, worker, callId: job.sealed.call.callId };
}

describe('a worker that was paused for longer than its job’s lock lasts', () => {
  it.each(['no', 'yes'])(
    'leaves the call to the one that has it, whatever the limit said: %s',
    async (said) => {
      if (said === 'no') {
        await harness.sql.query(
          `WITH w AS (INSERT INTO dispatch.workers (id, heartbeat_at) VALUES (gen_random_uuid(), now() + interval '1 hour') RETURNING id)
         INSERT INTO dispatch.slots SELECT gen_random_uuid(), $1, id, now() + interval '1 hour' FROM w`,
          [up],
        );
      }
      const { sent, worker, callId } = await pausedAtTheLimit(`limit-${said}`);
      await harness.sql.query('DELETE FROM dispatch.slots');
      const heir = await harness.startWorker();
      await eventually(() => timesSent(`limit-${said}`) === 1);
      worker.kill('SIGCONT');
      expect(await sent).toMatchObject({ status: 'completed' });
      await quiet();
      expect(await harness.ended(callId)).toMatchObject({ status: 'completed' });
      expect(timesSent(`limit-${said}`)).toBe(1);
      await heir.close();
    },
  );

  it('sends nothing of a call that was judged meanwhile, however long its lease took', async () => {
    const asked: LeaseRequest[] = [];
    const goOn = Promise.withResolvers<void>();
    const broker = harness.queue.consume(
      queues.tokenLeases,
      async (request) => {
        asked.push(request);
        await goOn.promise;
        return granted(request);
      },
      { concurrency: 4 },
    );
    const worker = await harness.spawnWorker();
    const job = harness.job(leased, 'limited_count-side-effect', { id: 'leased' }, { deadlineMs: 80_000 });
    const sent = harness.send(job);
    await eventually(() => asked.length === 1);
    worker.kill('SIGSTOP');
    goOn.resolve();
    const heir = await harness.startWorker();
    expect(await sent).toMatchObject({
      status: 'outcome_unknown',
      error: { details: { reason: 'worker_lost' } },
    });
    worker.kill('SIGCONT');
    await quiet();
    worker.kill('SIGTERM');
    await once(worker, 'exit');
    expect(timesSent('leased')).toBe(0);
    await heir.close();
    await broker.close();
  });
});

async function granted(request: LeaseRequest): Promise<LeaseAnswer> {
  const secret = Buffer.from(JSON.stringify({ headers: { 'X-Any': 'thing' }, env: {} }));
  const jwe = await new CompactEncrypt(secret)
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .encrypt(await importJWK(request.recipient, 'ECDH-ES'));
  const whose = { authPath: 'static', principal: 'nobody', credential: 'one' } as const;
  return { status: 'granted', jwe, expiresAt: Date.now() + 60_000, ...whose };
}

import { createHash } from 'node:crypto';

type RunFacts = { readonly id: string; readonly createdAt: Date };

/**
 * The id of a call: the same whenever the same step is made again, so that it finds its call in the ledger instead of
 * making another. A UUIDv8 that begins with the run's time, so that the ledger's order by id stays one by time.
 */
export function callIdOf(
  run: RunFacts,
  asked: { step: number; position: number; modelCallId: string; attempt: number },
): string {
  return uuid8(run, ['call', asked.step, asked.position, asked.modelCallId, asked.attempt]);
}

/** The request id of an iteration; its model step and its calls share it. */
export function requestIdOf(run: RunFacts, step: number): string {
  return uuid8(run, ['request', step]);
}

/** The id of the run that a job asks of a schedule: the same however often the store hands the job out. */
export function askedRunIdOf(
  scheduleId: string,
  job: { readonly correlationId: string; readonly enqueuedAt: number },
): string {
  return uuid8({ id: scheduleId, createdAt: new Date(job.enqueuedAt) }, ['run', job.correlationId]);
}

function uuid8({ id, createdAt }: RunFacts, parts: readonly (string | number)[]): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify([id, ...parts]))
    .digest()
    .subarray(0, 16);
  bytes.writeUIntBE(createdAt.getTime(), 0, 6);
  bytes[6] = 0x80 | (bytes.readUInt8(6) & 0x0f);
  bytes[8] = 0x80 | (bytes.readUInt8(8) & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

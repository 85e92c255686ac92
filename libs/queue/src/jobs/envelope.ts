import type { ParsedPayloadOf, QueueDefinition } from '@switchyard/contracts';
import { z } from 'zod';
import type { Sealer } from '../sealer.js';

/** What a job looks like in the store. The seal covers all of it but `trace`, which decides nothing. */
export const JobEnvelope = z.strictObject({
  v: z.literal(1),
  /** The payload's JSON text, kept as text so that it is sealed and checked without being printed again. */
  body: z.string(),
  seal: z.string(),
  trace: z.strictObject({ traceparent: z.string().optional() }),
  /** The asker's channel on the bus; null when nobody waits. */
  replyTo: z.string().nullable(),
  correlationId: z.string(),
  /** Epoch milliseconds. */
  enqueuedAt: z.number().int(),
});
export type JobEnvelope = z.infer<typeof JobEnvelope>;

type Addressed = Pick<JobEnvelope, 'body' | 'replyTo' | 'correlationId' | 'enqueuedAt'>;

/** Seals a job for one queue. */
export function packJob(
  sealer: Sealer,
  queue: QueueDefinition,
  job: Addressed & { traceparent?: string },
): JobEnvelope {
  const { traceparent, ...addressed } = job;
  return {
    v: 1,
    ...addressed,
    seal: sealer.sealText(purposeOf(queue), sealedText(addressed)),
    trace: traceparent === undefined ? {} : { traceparent },
  };
}

/** A job as it came out of the store. `forged`: no service of ours made it for this queue; trust nothing in it. */
export type OpenedJob<Q> =
  | { status: 'ok'; payload: ParsedPayloadOf<Q>; envelope: JobEnvelope }
  | { status: 'invalid'; envelope: JobEnvelope }
  | { status: 'forged' };

/** Checks seal and payload of what the store handed out. */
export function openJob<Q extends QueueDefinition>(sealer: Sealer, queue: Q, data: unknown): OpenedJob<Q> {
  const parsed = JobEnvelope.safeParse(data);
  if (!parsed.success) return { status: 'forged' };
  const envelope = parsed.data;
  if (!sealer.verifyText(purposeOf(queue), sealedText(envelope), envelope.seal)) return { status: 'forged' };
  const payload = queue.payload.safeParse(JSON.parse(envelope.body));
  if (!payload.success) return { status: 'invalid', envelope };
  return { status: 'ok', payload: payload.data as ParsedPayloadOf<Q>, envelope };
}

function purposeOf(queue: QueueDefinition): string {
  return `job:${queue.name}`;
}

function sealedText(job: Addressed): string {
  return JSON.stringify([job.replyTo, job.correlationId, job.enqueuedAt]) + job.body;
}

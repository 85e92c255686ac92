import type { JobEnvelope } from './envelope.js';

/** A job of a scheduler: which scheduler, and for which time (epoch milliseconds). */
export type Firing = { schedulerId: string; scheduledFor: number };

/** The id that BullMQ gives to a scheduler's job. */
export function firingId({ schedulerId, scheduledFor }: Firing): string {
  return `repeat:${schedulerId}:${scheduledFor}`;
}

/** Reads such an id; null for the id of any other job, which has no colon. */
export function firingOf(jobId: string): Firing | null {
  const [, schedulerId, time] = /^repeat:([A-Za-z0-9-]+):(\d{1,15})$/.exec(jobId) ?? [];
  return schedulerId && time ? { schedulerId, scheduledFor: Number(time) } : null;
}

/** What is sealed into all jobs of a scheduler. The colon keeps it apart from the correlation id of any other job. */
export function schedulerCorrelationId(schedulerId: string): string {
  return `scheduler:${schedulerId}`;
}

/**
 * The store's id of a job is not sealed, but what it answers to is, and ours agree (`<id>`, or `<id>-…` when it was
 * added again): a genuine job copied under an id of its own is a forged one. A scheduler's jobs are sealed once, for
 * all times, so that the time in their id is the store's word alone.
 */
export function isItsOwn(jobId: string, { correlationId }: JobEnvelope): boolean {
  const firing = firingOf(jobId);
  if (firing) return correlationId === schedulerCorrelationId(firing.schedulerId);
  if (correlationId.includes(':')) return false;
  return jobId === correlationId || jobId.startsWith(`${correlationId}-`);
}

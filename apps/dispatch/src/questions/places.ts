import type { CallerContext, Lane } from '@switchyard/contracts';

/** Something limited that a call keeps from others for as long as it waits for a person. */
export type Place = {
  readonly key: string;
  /** How many calls may wait on it at once in this worker. */
  readonly most: number;
  /** Whose questions those are, for the server that asks. */
  readonly what: string;
};

/** So that nobody alone takes what is kept for questions of all. */
const mostOfCaller = 4;

/** Half of what there is, so that calls that ask nothing always find the other half. */
export function halfOf(slots: number): number {
  return Math.max(1, Math.floor(slots / 2));
}

/** What a call of the lane holds: a turn of its caller, of the worker's lane, and of the integration where that has few. */
export function placesOf(
  { kind, orgId, userId, virtualKeyId }: CallerContext,
  { lane, slots }: { lane: Lane; slots: number },
  integration: { id: string; maxConcurrency: number | null },
): Place[] {
  const caller = [kind, orgId, userId, virtualKeyId].join(' ');
  const { id, maxConcurrency } = integration;
  return [
    { key: `caller ${caller}`, most: mostOfCaller, what: 'to this caller' },
    { key: `lane ${lane}`, most: halfOf(slots), what: 'to callers' },
    ...(maxConcurrency === null
      ? []
      : [{ key: `integration ${id}`, most: halfOf(maxConcurrency), what: 'of this server' }]),
  ];
}

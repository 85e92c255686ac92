/** How a taken job ended. `left`: the worker closed before its handler did, and the job is handed out again. */
export type JobEnd = 'done' | 'requeued' | 'failed' | 'left';

/** What a client tells of its work; `bindQueueMetrics` makes it Prometheus metrics. */
export interface QueueMetrics {
  jobTaken(queue: string, waitedMs: number): void;
  jobEnded(queue: string, end: JobEnd, durationMs: number): void;
  jobRejected(queue: string, why: 'forged' | 'invalid'): void;
}

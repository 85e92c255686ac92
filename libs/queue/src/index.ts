export { sealAnswer, verifyAnswer } from './answer-seal.js';
export type { SealableAnswer } from './answer-seal.js';
export { assertConsumers } from './assert-consumers.js';
export { canonicalJson } from './canonical-json.js';
export type { AwaitOptions } from './jobs/answers.js';
export { Consumer } from './jobs/consumer.js';
export type { EnqueueItem } from './jobs/enqueuer.js';
export { JobAborted } from './jobs/job-context.js';
export type { JobContext, JobHandler } from './jobs/job-context.js';
export type { JobEnd, QueueMetrics } from './jobs/queue-metrics.js';
export type { QueueCounts } from './jobs/queue-store.js';
export type { NextTime, SchedulerRule } from './jobs/scheduler-rule.js';
export type { Scheduler, StoredScheduler } from './jobs/schedulers.js';
export { migrateQueueStore } from './migrate-queue-store.js';
export { QueueClient } from './queue-client.js';
export type {
  ConsumeOptions,
  EnqueueOptions,
  QueueClientOptions,
  RequestOptions,
} from './queue-client-options.js';
export { QueueModule } from './queue.module.js';
export { FleetLimits } from './rate-limits/fleet-limits.js';
export type { FleetLimitsOptions, Limit, Taken } from './rate-limits/fleet-limits.js';
export { Sealer } from './sealer.js';
export type { SealKey } from './sealer.js';
export { sealToolCall, verifyToolCall } from './tool-call-seal.js';

import type { ToolCallEvent, ToolCallJob, ToolResult } from '@switchyard/contracts';
import type { Lease } from '../leases/lease-client.js';
import type { CallTarget } from '../tool-calls/call-target.js';

/** One send of one call to an upstream. */
export type UpstreamCall = {
  job: ToolCallJob;
  resolved: CallTarget;
  lease: Lease;
  /** Counts the sends of the call, from 0; part of the id of a stdio job. */
  attempt: number;
  signal: AbortSignal;
  onEvent: (event: ToolCallEvent) => void;
};

/** Sends a call; rejects with an `UpstreamError`. One implementation per way to reach an upstream. */
export type SendCall = (call: UpstreamCall) => Promise<ToolResult>;

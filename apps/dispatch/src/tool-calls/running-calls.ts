import type { ToolCall } from '@switchyard/contracts';

export type AbortReason = 'cancelled' | 'deadline' | 'revoked' | 'shutdown';

/** A call that this worker has in hand. */
export type RunningCall = {
  readonly call: ToolCall;
  readonly safe: boolean;
  /** Set once a request may have left for the upstream. */
  sent: boolean;
  readonly signal: AbortSignal;
  abort(reason: AbortReason): void;
};

/** How long a cancellation waits for its call to arrive here, and how many of them. */
const rememberMs = 600_000;
const rememberMany = 10_000;

/**
 * The calls in hand, by id. A cancellation aborts what is unsent or safe; what was sent to an unsafe tool runs on,
 * since stopping to listen does not undo it. A cancellation of a call that waits in the queue is remembered until
 * the call comes.
 */
export class RunningCalls {
  private readonly calls = new Map<string, RunningCall>();
  private readonly cancelledEarly = new Map<string, number>();

  constructor(private readonly now: () => number = Date.now) {}

  begin(call: ToolCall, safe: boolean): RunningCall {
    const controller = new AbortController();
    const running: RunningCall = {
      call,
      safe,
      sent: false,
      signal: controller.signal,
      abort: (reason) => controller.abort(reason),
    };
    if (this.cancelledEarly.delete(call.callId)) running.abort('cancelled');
    this.calls.set(call.callId, running);
    return running;
  }

  end(callId: string): void {
    this.calls.delete(callId);
  }

  cancel(callId: string): void {
    const running = this.calls.get(callId);
    if (running) this.abortIfHarmless(running, 'cancelled');
    else this.remember(callId);
  }

  /** Aborts every harmless call that the test names, for instance those of a revoked key. */
  abortWhere(test: (call: ToolCall) => boolean, reason: AbortReason): void {
    for (const running of this.calls.values()) {
      if (test(running.call)) this.abortIfHarmless(running, reason);
    }
  }

  get size(): number {
    return this.calls.size;
  }

  private abortIfHarmless(running: RunningCall, reason: AbortReason): void {
    if (running.safe || !running.sent) running.abort(reason);
  }

  private remember(callId: string): void {
    this.cancelledEarly.set(callId, this.now() + rememberMs);
    for (const [id, until] of this.cancelledEarly) {
      if (until > this.now() && this.cancelledEarly.size <= rememberMany) break;
      this.cancelledEarly.delete(id);
    }
  }
}

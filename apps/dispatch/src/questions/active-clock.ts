/** How long a job may be worked on, as far as that is known when it is taken. */
export type ClockLimits = {
  /** Epoch milliseconds until which the upstream may take its time; what questions take is added. */
  activeUntil: number;
  /** Epoch milliseconds after which nobody waits any more, whatever was asked. */
  deadlineAt: number;
};

/** Tells when a call's time is over. It stands still while a person is asked; the deadline does not. */
export class ActiveClock {
  private timer: NodeJS.Timeout | undefined;
  private readonly limit: NodeJS.Timeout;
  private activeUntil: number;
  private pausedAt: number | null = null;
  private isStopped = false;

  constructor(
    private readonly limits: ClockLimits,
    private readonly onEnd: () => void,
    private readonly now: () => number = Date.now,
  ) {
    this.activeUntil = Math.min(limits.activeUntil, limits.deadlineAt);
    this.limit = setTimeout(onEnd, Math.max(0, limits.deadlineAt - now()));
    this.plan();
  }

  /** What is left for the upstream if nothing more is asked. */
  get remainingMs(): number {
    const now = this.pausedAt ?? this.now();
    return Math.min(this.activeUntil - now, this.limits.deadlineAt - this.now());
  }

  pause(): void {
    this.pausedAt ??= this.now();
    clearTimeout(this.timer);
  }

  resume(): void {
    if (this.pausedAt === null) return;
    this.activeUntil += this.now() - this.pausedAt;
    this.pausedAt = null;
    this.plan();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.limit);
  }

  private plan(): void {
    clearTimeout(this.timer);
    if (this.isStopped) return;
    this.timer = setTimeout(this.onEnd, Math.max(0, this.activeUntil - this.now()));
  }
}

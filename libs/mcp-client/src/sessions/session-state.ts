/** What a session's transport and its owner both need to know: whether it lives, and with what headers it calls. */
export class SessionState {
  private readonly lostListeners: (() => void)[] = [];
  private readonly reopenedListeners: (() => void)[] = [];
  private isGone = false;
  private standing = Promise.withResolvers<void>();

  constructor(public headers: Record<string, string>) {}

  get isLost(): boolean {
    return this.isGone;
  }

  /** The server forgot the session, or is gone. Told once. */
  lose(): void {
    if (this.isGone) return;
    this.isGone = true;
    for (const listener of this.lostListeners) listener();
  }

  /** The stream for what belongs to no request was opened for the first time, or refused. */
  standingSettled(): void {
    this.standing.resolve();
  }

  /** Resolves when that stream was opened or refused: what a server says on it before is lost. */
  async untilStanding(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
    await Promise.race([this.standing.promise, limit]);
    clearTimeout(timer);
  }

  reopened(): void {
    for (const listener of this.reopenedListeners) listener();
  }

  onLost(listener: () => void): void {
    if (this.isGone) listener();
    else this.lostListeners.push(listener);
  }

  onReopened(listener: () => void): void {
    this.reopenedListeners.push(listener);
  }
}

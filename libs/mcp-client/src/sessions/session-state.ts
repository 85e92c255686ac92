/** What a session's transport and its owner both need to know: whether it lives, and with what headers it calls. */
export class SessionState {
  private readonly lostListeners: (() => void)[] = [];
  private readonly reopenedListeners: (() => void)[] = [];
  private isGone = false;

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

/** Does something again and again, with pauses that keep replicas out of step. An interval of 0 never does. */
export class Loop {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(
    private readonly intervalMs: number,
    private readonly work: () => Promise<void>,
    private readonly onError: (error: unknown) => void,
  ) {}

  start(): void {
    if (this.intervalMs === 0 || this.#isStopped) return;
    this.#timer = setTimeout(() => this.#turn(), this.intervalMs * (0.75 + Math.random() / 2));
    this.#timer.unref();
  }

  /** Resolves when the turn that runs is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #turn(): void {
    this.#running = this.work()
      .catch(this.onError)
      .finally(() => this.start());
  }
}

import { queues } from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import type { SessionsService } from './sessions.service.js';

const concurrency = 16;

/** Takes `browser-sessions`: the gateway asks who is signed in before it shows a consent page. */
export class BrowserSessionProcessor {
  constructor(
    private readonly queue: QueueClient,
    private readonly sessions: SessionsService,
  ) {}

  onApplicationBootstrap(): void {
    const { queue, sessions } = this;
    queue.consume(queues.browserSessions, ({ sessionSha256 }) => sessions.describe(sessionSha256), {
      concurrency,
    });
  }
}

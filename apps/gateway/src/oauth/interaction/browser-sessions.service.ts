import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type BrowserSessionAnswer, queues } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Cookies } from '@switchyard/service-kit';

const askTimeoutMs = 5_000;

/** Who is signed in at a browser. The token broker signs people in, under the same origin, and remembers them. */
export type BrowserUser = Omit<Extract<BrowserSessionAnswer, { status: 'signed_in' }>, 'status'> & {
  readonly sessionSha256: string;
};

@Injectable()
export class BrowserSessions {
  constructor(private readonly queue: QueueClient) {}

  /** Null: nobody. The cookie's value goes nowhere. */
  async find(origin: string, cookieHeader: string | undefined): Promise<BrowserUser | null> {
    const value = new Cookies(origin).read(cookieHeader, 'session');
    if (!value) return null;
    const sessionSha256 = createHash('sha256').update(value).digest('hex');
    const answer = await this.queue.request(
      queues.browserSessions,
      { v: 1, sessionSha256 },
      { timeoutMs: askTimeoutMs },
    );
    if (answer.status === 'signed_out' || answer.expiresAt <= Date.now()) return null;
    const { status: _, ...user } = answer;
    return { ...user, sessionSha256 };
  }
}

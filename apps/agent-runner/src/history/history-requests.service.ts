import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import type { ApiCaller } from '@switchyard/identity';

/** Each may hold some megabytes: a page of a conversation, a run with its results, a piece of an export. */
export const historyRequestsAtOnce = 8;

/** Requests for runs and conversations as they were: so many at once of each user, and of each organization's admin keys, at this process. */
@Injectable()
export class HistoryRequests {
  readonly #open = new Map<string, number>();

  /**
   * Does the work in a place that is free again when the work is done and the response is closed: what was read for a
   * client that has gone still takes memory, and so does an answer that is taken slowly. Throws `rate_limited`.
   */
  async serve<T>(caller: ApiCaller, response: ServerResponse, work: () => Promise<T>): Promise<T> {
    const leave = this.#enter(caller.kind === 'user' ? caller.userId : `admins of ${caller.orgId}`);
    try {
      return await work();
    } finally {
      // A client may have gone before its request came so far: then there is no such event any more.
      if (response.closed) leave();
      else response.once('close', leave);
    }
  }

  #enter(owner: string): () => void {
    const open = this.#open.get(owner) ?? 0;
    if (open >= historyRequestsAtOnce)
      throw new PlatformError('rate_limited', {
        message: `A user has at most ${historyRequestsAtOnce} requests for runs and conversations open at once.`,
        retryAfterMs: 1_000,
      });
    this.#open.set(owner, open + 1);
    return () => this.#leave(owner);
  }

  #leave(owner: string): void {
    const open = (this.#open.get(owner) ?? 1) - 1;
    if (open > 0) this.#open.set(owner, open);
    else this.#open.delete(owner);
  }
}

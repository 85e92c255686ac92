import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ApiCaller } from '@switchyard/identity';
import { HistoryRequests, historyRequestsAtOnce } from './history-requests.service.js';

type FakeResponse = ServerResponse & { closed: boolean };

const response = () => Object.assign(new EventEmitter(), { closed: false }) as unknown as FakeResponse;
const close = (open: FakeResponse) => {
  open.closed = true;
  open.emit('close');
};
const user = (userId: string) => ({ kind: 'user', userId, orgId: 'org' }) as ApiCaller;
const adminOf = (orgId: string): ApiCaller => ({ kind: 'admin', orgId, isOperator: false });

describe('requests for runs and conversations', () => {
  let requests: HistoryRequests;
  beforeEach(() => {
    requests = new HistoryRequests();
  });

  const fill = async (caller: ApiCaller): Promise<FakeResponse[]> => {
    const open = Array.from({ length: historyRequestsAtOnce }, response);
    for (const one of open) await requests.serve(caller, one, async () => 'answer');
    return open;
  };
  const next = (caller: ApiCaller) => requests.serve(caller, response(), async () => 'answer');
  const refused = expect.objectContaining({ code: 'rate_limited', retryAfterMs: 1_000 });

  it('are so many of each user and of each organization’s admin keys, until answers are taken', async () => {
    const [first] = await fill(user('ada'));
    await expect(next(user('ada'))).rejects.toEqual(refused);
    await fill(user('bob'));
    await fill(adminOf('org'));
    await expect(next(adminOf('org'))).rejects.toEqual(refused);
    await expect(next(adminOf('other'))).resolves.toBe('answer');
    close(first!);
    await expect(next(user('ada'))).resolves.toBe('answer');
    await expect(next(user('ada'))).rejects.toEqual(refused);
  });

  it('keep their place where the client has gone and the work goes on', async () => {
    const open = await fill(user('ada'));
    close(open[0]!);
    const { promise, resolve } = Promise.withResolvers<string>();
    const gone = response();
    const work = requests.serve(user('ada'), gone, () => promise);
    close(gone);
    await expect(next(user('ada'))).rejects.toEqual(refused);
    resolve('too late');
    await work;
    await expect(next(user('ada'))).resolves.toBe('answer');
  });

  it('give their place back where the work fails', async () => {
    const failing = Array.from({ length: historyRequestsAtOnce }, response);
    for (const one of failing) {
      const fail = () => Promise.reject(new Error('no database'));
      await expect(requests.serve(user('ada'), one, fail)).rejects.toThrow('no database');
      close(one);
    }
    await expect(next(user('ada'))).resolves.toBe('answer');
  });
});

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, testPrefix, testRedisUrl } from '@switchyard/testing';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

/** One process of an owner, which answers with its own name. */
class Replica {
  readonly #name: string;
  #server?: Server;
  #port = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; at the second time on the port of the first. */
  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      if (request.url?.includes('break-off')) return request.socket.resetAndDestroy();
      response.end(this.#name);
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async kill(): Promise<void> {
    if (!this.#server?.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

describe('forwarding to several replicas of an owner', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  const first = new Replica('first');
  const second = new Replica('second');

  beforeAll(async () => {
    await Promise.all([first.start(), second.start()]);
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    const urls = `${first.url},${second.url}`;
    gateway = await harness.startGateway({ GATEWAY_DISPATCH_URL: urls, GATEWAY_AGENT_RUNNER_URL: urls });
  }, 120_000);
  afterAll(async () => {
    await Promise.all([first.kill(), second.kill()]);
    await harness.close();
  });

  const send = async (path: string, init: RequestInit = {}): Promise<string> => {
    const response = await fetch(`${gateway.url}${path}`, init);
    const text = await response.text();
    return response.ok ? text : String(response.status);
  };
  const message = { method: 'POST', body: '{}' };
  const sendMany = async (path: string, count: number): Promise<string[]> => {
    const answers: string[] = [];
    while (answers.length < count) answers.push(await send(path, message));
    return answers;
  };
  const bothAnswer = (path: string) =>
    eventually(async () => new Set(await sendMany(path, 4)).size === 2, { timeoutMs: 15_000 });

  it.each(['/api/chat', '/hooks/1', '/api/runs/1/cancel', '/api/approvals/1'])(
    'shares %s out among them',
    async (path) => {
      const answers = await sendMany(path, 6);
      expect(answers.toSorted()).toEqual(['first', 'first', 'first', 'second', 'second', 'second']);
    },
  );

  it.each([
    ['/api/chat', '/hooks/1'],
    ['/api/approvals/1', '/api/approvals'],
  ])(
    'loses one request to %s at most when one is killed, and finds it when it is back',
    async (path, other) => {
      await bothAnswer(path);
      await first.kill();
      const answers = await sendMany(path, 8);
      expect(answers.filter((answer) => answer !== 'second')).toEqual(['503']);
      // What one path found out holds for all of the owner.
      expect(await sendMany(other, 4)).toEqual(['second', 'second', 'second', 'second']);
      await first.start();
      await bothAnswer(path);
    },
    60_000,
  );

  it('passes over one that broke a connection off, and repeats nothing', async () => {
    await bothAnswer('/api/runs');
    expect(await send('/api/runs/break-off', message)).toBe('503');
    expect(new Set(await sendMany('/api/runs', 4)).size).toBe(1);
    await bothAnswer('/api/runs');
  }, 60_000);

  it('answers with a problem document while none is there, and says that a message may have been taken', async () => {
    await Promise.all([first.kill(), second.kill()]);
    for (let count = 0; count < 3; count++) {
      const answer = await fetch(`${gateway.url}/api/chat`, message);
      expect([answer.status, await answer.json()]).toMatchObject([
        503,
        { code: 'dependency_unavailable', next: expect.stringContaining('may have been taken') },
      ]);
    }
    const hook = await fetch(`${gateway.url}/hooks/1`, message);
    expect(await hook.json()).toMatchObject({ code: 'dependency_unavailable', next: 'Try again later.' });
    await Promise.all([first.start(), second.start()]);
    await bothAnswer('/api/chat');
  }, 60_000);
});

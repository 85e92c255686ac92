import { afterAll, describe } from '@jest/globals';
import { onBothQueueBackends, type TestQueueBackend } from '@switchyard/testing';
import { QueueClient, type QueueClientOptions } from '../src/index.js';
import { testSealKey } from './echo-queue.js';

/** Makes clients of a store; `closeAll` ends those that it made. */
export type TestClients = {
  connect(options?: Partial<QueueClientOptions>): Promise<QueueClient>;
  closeAll(): Promise<void>;
};

/** Clients of one store. */
export function testClients(store: { url(): string; prefix: string }): TestClients {
  const open = new Set<QueueClient>();
  return {
    async connect(options = {}) {
      const settings = { url: store.url(), prefix: store.prefix, sealKey: testSealKey, service: 'test' };
      const client = await QueueClient.connect({ ...settings, ...options });
      open.add(client);
      return client;
    },
    async closeAll() {
      await Promise.all([...open].map((client) => client.close({ limitMs: 100 })));
      open.clear();
    },
  };
}

/** As `onBothQueueBackends`, with clients that are closed before the store goes away: that is what the inner block is for. */
export function onBothBackends(
  name: string,
  fn: (backend: TestQueueBackend, clients: TestClients) => void,
): void {
  onBothQueueBackends(name, (backend) => {
    describe(`over ${backend.kind}`, () => {
      const clients = testClients(backend);
      fn(backend, clients);
      afterAll(() => clients.closeAll());
    });
  });
}

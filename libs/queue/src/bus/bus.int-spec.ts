import { beforeAll, expect, it } from '@jest/globals';
import { topics } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';
import { randomUUID } from 'node:crypto';
import { onBothBackends } from '../../test-fixtures/test-clients.js';
import type { QueueClient } from '../queue-client.js';

onBothBackends('the bus', (backend, clients) => {
  let sender: QueueClient;
  let receivers: QueueClient[];
  beforeAll(async () => {
    sender = await clients.connect();
    receivers = await Promise.all([clients.connect(), clients.connect()]);
  });

  it('tells every process that listens, in order, and nobody who has stopped', async () => {
    const heard: string[][] = [[], []];
    const stops = await Promise.all(
      receivers.map((receiver, index) =>
        receiver.subscribe(topics.toolCallCancel, ({ callId }) => void heard[index]?.push(callId)),
      ),
    );
    const ids = Array.from({ length: 200 }, () => randomUUID());
    await Promise.all(ids.map((callId) => sender.publish(topics.toolCallCancel, { callId })));
    await eventually(() => heard.every((of) => of.length === ids.length));
    expect(heard).toEqual([ids, ids]);
    await stops[0]?.();
    await sender.publish(topics.toolCallCancel, { callId: randomUUID() });
    await eventually(() => heard[1]?.length === ids.length + 1);
    expect(heard[0]).toHaveLength(ids.length);
  });

  it('keeps topics apart, and copies of the system that share a store', async () => {
    const heard: unknown[] = [];
    const stranger = await clients.connect({ prefix: `${backend.prefix}-other` });
    await receivers[0]?.subscribe(topics.toolCallEnded, (message) => void heard.push(message));
    await stranger.publish(topics.toolCallEnded, { callId: randomUUID() });
    await sender.publish(topics.breakerReset, { integrationId: randomUUID() });
    const last = { callId: randomUUID() };
    await sender.publish(topics.toolCallEnded, last);
    await eventually(() => heard.length > 0);
    expect(heard).toEqual([last]);
  });

  it('drops what another key has sealed, and says so', async () => {
    const errors: string[] = [];
    const heard: unknown[] = [];
    const victim = await clients.connect({ onError: (error) => errors.push(String(error)) });
    await victim.subscribe(topics.upstreamAnswered, (message) => void heard.push(message));
    const forger = await clients.connect({ sealKey: 'x'.repeat(40) });
    await forger.publish(topics.upstreamAnswered, { integrationId: randomUUID(), at: 1 });
    await eventually(() => errors.some((error) => error.includes('without a valid seal')));
    expect(heard).toEqual([]);
  });

  it('refuses to send what does not fit its topic', async () => {
    await expect(sender.publish(topics.toolCallCancel, { callId: 'no uuid' })).rejects.toThrow(/uuid/i);
  });
});

import { afterAll, beforeAll, describe } from '@jest/globals';
import { privateRedis } from '@switchyard/testing';
import { Switchyard, type SwitchyardOptions } from './switchyard.js';

/** One Switchyard for a `describe` block, on one of the queue's stores. */
export type SystemUnderTest = {
  readonly kind: 'redis' | 'postgres';
  /** Only inside tests and hooks: it is started in `beforeAll`. */
  switchyard(): Switchyard;
  /** Ends the queue's store as a crash would; it comes back empty. PostgreSQL is Switchyard's own, and dies with it. */
  crashQueueStore(): Promise<void>;
};

type RedisServer = Awaited<ReturnType<typeof privateRedis>>;

/** Describes the same behaviour over both stores of the queue, each with a Switchyard of its own. */
export function onBothQueues(
  name: string,
  options: SwitchyardOptions,
  fn: (system: SystemUnderTest) => void,
): void {
  describe.each(['redis', 'postgres'] as const)(`${name} (%s)`, (kind) => {
    let redis: RedisServer | undefined;
    let switchyard: Switchyard | undefined;
    beforeAll(async () => {
      if (kind === 'redis') redis = await privateRedis();
      switchyard = await Switchyard.start({ ...options, queueUrl: redis?.url });
    }, 120_000);
    afterAll(async () => {
      await switchyard?.stop();
      await redis?.stop();
    }, 60_000);
    fn({
      kind,
      switchyard: () => switchyard ?? fail(),
      crashQueueStore: async () => {
        if (!redis) return;
        await redis.kill();
        redis = await privateRedis({ port: redis.port });
      },
    });
  });
}

/** One Switchyard for a `describe` block, where the queue's store makes no difference. */
export function onOneSwitchyard(
  name: string,
  options: SwitchyardOptions,
  fn: (switchyard: () => Switchyard) => void,
): void {
  describe(name, () => {
    let switchyard: Switchyard | undefined;
    beforeAll(async () => {
      switchyard = await Switchyard.start(options);
    }, 120_000);
    afterAll(() => switchyard?.stop(), 60_000);
    fn(() => switchyard ?? fail());
  });
}

function fail(): never {
  throw new Error('Switchyard is there only inside tests and hooks');
}

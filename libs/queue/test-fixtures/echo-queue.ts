import type { QueueDefinition } from '@switchyard/contracts';
import { z } from 'zod';

const number = z.strictObject({ n: z.number(), pad: z.string().optional() });
const event = z.strictObject({ step: z.number() });

export type EchoQueue = QueueDefinition<typeof number, typeof number, typeof event>;

/** A queue for tests: numbers in, numbers out. */
export function echoQueue(name = 'echo'): EchoQueue {
  return { name, consumer: 'dispatch', what: 'Tests.', payload: number, result: number, event };
}

export const testSealKey = 'a seal key that only tests use, long enough';

import { expect, it } from '@jest/globals';
import { createLogger } from '../logs/log.js';
import { Shutdown } from './shutdown.js';

function shutdown(): Shutdown {
  return new Shutdown(createLogger('test', { level: 'silent' }));
}

it('closes in the reverse order, and goes on after a step that fails', async () => {
  const closed: string[] = [];
  const ending = shutdown();
  ending.onClose(() => void closed.push('first made'));
  ending.onClose(() => {
    throw new Error('cannot');
  });
  ending.onClose(() => void closed.push('last made'));
  await ending.close();
  expect(closed).toEqual(['last made', 'first made']);
});

it('closes at once what comes up after the end has begun', async () => {
  const ending = shutdown();
  await ending.close();
  const closed: string[] = [];
  ending.onClose(() => void closed.push('late'));
  expect(closed).toEqual(['late']);
});

import { describe, expect, it } from '@jest/globals';
import { ProviderSlots } from './provider-slots.js';

describe('ProviderSlots', () => {
  it('lets so many wait for one provider, the others’ people pass, and all once it answers', async () => {
    const slots = new ProviderSlots();
    const { promise: silence, resolve: speak } = Promise.withResolvers<string>();
    const waiting = Array.from({ length: 32 }, () => slots.run('silent', () => silence));
    await expect(slots.run('silent', () => silence)).rejects.toMatchObject({
      code: 'dependency_unavailable',
    });
    expect(await slots.run('other', () => Promise.resolve('in'))).toBe('in');
    speak('in');
    await Promise.all(waiting);
    expect(await slots.run('silent', () => silence)).toBe('in');
  });

  it('gives the place back of who fails', async () => {
    const slots = new ProviderSlots();
    for (let at = 0; at < 40; at++)
      await expect(slots.run('broken', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

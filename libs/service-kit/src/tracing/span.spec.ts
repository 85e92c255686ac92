import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTracing } from './start-tracing.js';
import { currentTraceparent, inSpan } from './span.js';

let stop: () => Promise<void>;
beforeAll(() => {
  stop = startTracing({ name: 'test' });
});
afterAll(() => stop());

describe('tracing without an exporter', () => {
  it('still makes ids and hands them on', async () => {
    expect(currentTraceparent()).toBeUndefined();
    const inside = await inSpan('outer', {}, async () => {
      await Promise.resolve();
      return currentTraceparent();
    });
    expect(inside).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
  });

  it('goes on with the trace of another process', async () => {
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const handedOn = await inSpan('taken from the queue', { parent }, () => currentTraceparent());
    expect(handedOn).toContain('0af7651916cd43dd8448eb211c80319c');
    expect(handedOn).not.toContain('b7ad6b7169203331');
  });

  it('passes a throw on', async () => {
    await expect(inSpan('fails', {}, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
  });
});

import { describe, expect, it } from '@jest/globals';
import { echoQueue } from '../../test-fixtures/echo-queue.js';
import { Sealer } from '../sealer.js';
import { openJob, packJob } from './envelope.js';

const sealer = new Sealer('k'.repeat(32));
const queue = echoQueue('echo');
const job = {
  body: '{"n":1}',
  replyTo: 'reply-1',
  correlationId: 'c',
  enqueuedAt: 5,
  traceparent: '00-a-b-01',
};
const packed = packJob(sealer, queue, job);

describe('openJob', () => {
  it('opens what was packed for its queue', () => {
    expect(openJob(sealer, queue, packed)).toEqual({ status: 'ok', payload: { n: 1 }, envelope: packed });
  });

  it.each([
    ['an altered body', { ...packed, body: '{"n":2}' }],
    ['another asker', { ...packed, replyTo: 'reply-2' }],
    ['no asker', { ...packed, replyTo: null }],
    ['another correlation id', { ...packed, correlationId: 'd' }],
    ['another time', { ...packed, enqueuedAt: 6 }],
    ['a seal of another key', packJob(new Sealer('x'.repeat(32)), queue, job)],
    ['no seal', { ...packed, seal: '' }],
    ['an added field', { ...packed, admin: true }],
    ['no envelope at all', { n: 1 }],
    ['nothing', null],
  ])('takes %s for a forgery', (_what, data) => {
    expect(openJob(sealer, queue, data)).toEqual({ status: 'forged' });
  });

  it('takes a job of another queue for a forgery', () => {
    expect(openJob(sealer, echoQueue('other'), packed)).toEqual({ status: 'forged' });
  });

  it('tells a payload that does not fit from a forgery', () => {
    const misfit = packJob(sealer, queue, { ...job, body: '{"n":"one"}' });
    expect(openJob(sealer, queue, misfit)).toEqual({ status: 'invalid', envelope: misfit });
  });

  it('lets the trace be anything: it decides nothing', () => {
    expect(openJob(sealer, queue, { ...packed, trace: {} }).status).toBe('ok');
  });
});

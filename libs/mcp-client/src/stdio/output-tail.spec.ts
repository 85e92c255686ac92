import { describe, expect, it } from '@jest/globals';
import { OutputTail } from './output-tail.js';

describe('OutputTail', () => {
  it('keeps the end alone', () => {
    const tail = new OutputTail(10, []);
    for (let i = 0; i < 1000; i++) tail.push(Buffer.from(`line ${i}\n`));
    expect(tail.read()).toBe('line 999');
  });

  it('shows no value that the child was given', () => {
    const tail = new OutputTail(100, ['s3cr3t-t0k3n', 'abc']);
    tail.push(Buffer.from('using s3cr3t-'));
    tail.push(Buffer.from('t0k3n for abc'));
    expect(tail.read()).toBe('using [redacted] for abc');
  });
});

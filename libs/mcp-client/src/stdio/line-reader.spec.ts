import { describe, expect, it } from '@jest/globals';
import { LineReader } from './line-reader.js';

function read(chunks: string[], limit = 10): { lines: string[]; overflows: number } {
  const seen = { lines: [] as string[], overflows: 0 };
  const reader = new LineReader(
    limit,
    (line) => seen.lines.push(line),
    () => seen.overflows++,
  );
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return seen;
}

describe('LineReader', () => {
  it('joins lines over chunks and parts chunks into lines', () => {
    expect(read(['a\nb', 'c\r\n', '\n', 'd'])).toEqual({ lines: ['a', 'bc', ''], overflows: 0 });
  });

  it('keeps characters whole that a chunk cuts', () => {
    const reader = [Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1), Buffer.from('\n')];
    const lines: string[] = [];
    const one = new LineReader(
      10,
      (line) => lines.push(line),
      () => undefined,
    );
    for (const chunk of reader) one.push(chunk);
    expect(lines).toEqual(['ä']);
  });

  it('reports a line beyond the limit once, and nothing after it', () => {
    expect(read(['ok\n', '123456', '789012', '3\nafter\n'])).toEqual({ lines: ['ok'], overflows: 1 });
    expect(read(['12345678901\n'])).toEqual({ lines: [], overflows: 1 });
  });

  it('takes a line of exactly the limit', () => {
    expect(read(['1234567890\n'])).toEqual({ lines: ['1234567890'], overflows: 0 });
  });
});

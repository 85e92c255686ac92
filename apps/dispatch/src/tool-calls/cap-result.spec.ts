import { describe, expect, it } from '@jest/globals';
import { capResult } from './cap-result.js';

describe('capResult', () => {
  it('counts bytes, not characters', () => {
    expect(capResult({ content: [{ type: 'text', text: 'é' }] }, 1_000).bytes).toBe(41);
  });

  it('lets a result of exactly the limit pass and says how large a larger one is', () => {
    const result = { content: [{ type: 'text', text: 'x'.repeat(100) }] };
    const { bytes } = capResult(result, 1_000);
    expect(capResult(result, bytes).tooLarge).toBeNull();
    expect(capResult(result, bytes - 1).tooLarge).toEqual({
      failureClass: 'answered',
      error: expect.objectContaining({
        code: 'result_too_large',
        details: { size_bytes: bytes, limit_bytes: bytes - 1 },
      }),
    });
  });
});

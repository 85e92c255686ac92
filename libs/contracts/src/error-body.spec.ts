import { describe, expect, it } from '@jest/globals';
import { errorBody } from './error-body.js';
import { errorCatalog, PlatformError } from './errors.js';

describe('an error inside of an answer', () => {
  it('says what to do next, and when', () => {
    const error = new PlatformError('rate_limited', { retryAfterMs: 1_500, details: { limit: 3 } }).toInfo();
    expect(errorBody(error, 'call-1')).toEqual({
      ...{ code: 'rate_limited', message: error.message, call_id: 'call-1' },
      ...{ next: errorCatalog.rate_limited.next, retry_after_ms: 1_500, details: { limit: 3 } },
    });
  });

  it.each(['model_rejected', 'model_denied', 'internal'] as const)(
    'names no time for %s, which is not to be tried again as it was',
    (code) => {
      const error = new PlatformError(code, { retryAfterMs: 30_000 }).toInfo();
      const { next } = errorCatalog[code];
      expect(errorBody(error)).toEqual({ code, message: error.message, next });
    },
  );
});

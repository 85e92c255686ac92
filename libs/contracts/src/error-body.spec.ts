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

  it('has nothing that is not known', () => {
    const { next, publicMessage: message } = errorCatalog.internal;
    expect(errorBody(new PlatformError('internal').toInfo())).toEqual({ code: 'internal', message, next });
  });
});

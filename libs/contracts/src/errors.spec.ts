import { describe, expect, it } from '@jest/globals';
import { errorCatalog, ErrorInfo, PlatformError, toPlatformError, type ErrorCode } from './errors.js';

const codes = Object.keys(errorCatalog) as ErrorCode[];

describe('the error catalog', () => {
  it.each(codes)('%s tells what happened and what to do', (code) => {
    const { httpStatus, publicMessage, next } = errorCatalog[code];
    expect(httpStatus).toBeGreaterThanOrEqual(400);
    expect(publicMessage).toMatch(/\.$/);
    expect(next).toMatch(/\.$/);
  });

  it('never invites an automatic retry of a call that may have run', () => {
    expect(errorCatalog.outcome_unknown.retry).toBe('never');
  });
});

describe('PlatformError', () => {
  it('leaves cause and stack behind when it is written down', () => {
    const error = new PlatformError('upstream_unreachable', {
      message: 'Refused.',
      cause: new Error('10.0.0.7 refused, token abc'),
    });
    expect(JSON.stringify(error.toInfo())).not.toContain('abc');
    expect(ErrorInfo.parse(error.toInfo())).toEqual({
      code: 'upstream_unreachable',
      message: 'The upstream MCP server did not answer. Refused.',
    });
  });

  it('comes back as it went', () => {
    const info = new PlatformError('circuit_open', {
      retryAfterMs: 500,
      details: { integration: 'notes' },
    }).toInfo();
    expect(PlatformError.fromInfo(info).toInfo()).toEqual(info);
  });

  it('hides what was thrown by accident', () => {
    expect(toPlatformError(new TypeError('secret detail')).toInfo().message).toBe(
      errorCatalog.internal.publicMessage,
    );
  });
});

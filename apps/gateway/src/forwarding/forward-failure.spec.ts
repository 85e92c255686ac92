import { describe, expect, it } from '@jest/globals';
import { errorCatalog } from '@switchyard/contracts';
import { forwardFailure, isConnectionFailure } from './forward-failure.js';

const failedBy = (code: string) =>
  new Error('proxy', { cause: Object.assign(new Error('client'), { code }) });

describe('the failure of a forwarded request', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT'])(
    'is one of the connection with %s',
    (code) => expect(isConnectionFailure(failedBy(code))).toBe(true),
  );

  it('is none of the connection while the answer is only late, or for another reason', () => {
    expect(isConnectionFailure(failedBy('UND_ERR_HEADERS_TIMEOUT'))).toBe(false);
    expect(isConnectionFailure(failedBy('UND_ERR_REQ_CONTENT_LENGTH_MISMATCH'))).toBe(false);
    expect(isConnectionFailure(new Error('proxy'))).toBe(false);
  });

  const nextOf = (method: string, url: string) =>
    forwardFailure('agent runner', { method, url }, new Error('away')).next;

  it('says of a message to an agent that it may have been taken', () => {
    for (const url of ['/api/chat', '/api/chat/', '/api/chat?a=1'])
      expect(nextOf('POST', url)).toMatch(/may have been taken: .* Idempotency-Key/);
  });

  it('says what the catalog says of all others', () => {
    expect(errorCatalog.dependency_unavailable.next).not.toMatch(/taken/);
    for (const [method, url] of [
      ['GET', '/api/chat'],
      ['POST', '/api/chat/1/cancel'],
      ['POST', '/api/chats'],
      ['POST', '/hooks/1'],
    ] as const)
      expect(nextOf(method, url)).toBeUndefined();
  });
});

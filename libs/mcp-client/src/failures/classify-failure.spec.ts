import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { classifyFailure, type RequestFacts } from './classify-failure.js';
import { retryAfterMs } from './classify-status.js';

const coded = (code: string): Error => Object.assign(new Error(code), { code });
const fetchFailed = (code: string): TypeError => new TypeError('fetch failed', { cause: coded(code) });
const http = (status: number): SdkHttpError =>
  new SdkHttpError(SdkErrorCode.ClientHttpNotImplemented, 'Error POSTing', {
    status,
    statusText: '',
    text: '',
  });
const answered = (status: number, more: object = {}): RequestFacts => ({
  requestSent: true,
  response: { status, hadSession: false, ...more },
});
const sent = { requestSent: true };
const unsent = { requestSent: false };
const noSession = JSON.stringify({
  jsonrpc: '2.0',
  error: { code: -32000, message: 'Bad Request: No valid session ID provided' },
  id: null,
});
const unknownMethod = JSON.stringify({
  jsonrpc: '2.0',
  error: { code: -32601, message: 'Method not found' },
  id: 1,
});

describe('classifyFailure', () => {
  it.each<[string, unknown, RequestFacts, string, string, object?]>([
    [
      'refused',
      fetchFailed('ECONNREFUSED'),
      unsent,
      'not_sent',
      'upstream_unreachable',
      { reason: 'connection_refused' },
    ],
    ['no such name', fetchFailed('ENOTFOUND'), unsent, 'not_sent', 'upstream_unreachable', { reason: 'dns' }],
    ['DNS down', fetchFailed('EAI_AGAIN'), unsent, 'not_sent', 'upstream_unreachable', { reason: 'dns' }],
    [
      'connect timeout',
      fetchFailed('UND_ERR_CONNECT_TIMEOUT'),
      unsent,
      'not_sent',
      'upstream_unreachable',
      { reason: 'connect_timeout' },
    ],
    [
      'bad certificate',
      fetchFailed('DEPTH_ZERO_SELF_SIGNED_CERT'),
      unsent,
      'not_sent',
      'upstream_unreachable',
      { reason: 'tls' },
    ],
    [
      'wrong name in it',
      fetchFailed('ERR_TLS_CERT_ALTNAME_INVALID'),
      unsent,
      'not_sent',
      'upstream_unreachable',
      { reason: 'tls' },
    ],
    [
      'refused, of several addresses',
      new TypeError('fetch failed', { cause: new AggregateError([coded('ECONNREFUSED')]) }),
      unsent,
      'not_sent',
      'upstream_unreachable',
      { reason: 'connection_refused' },
    ],
    [
      'denied by policy',
      new TypeError('fetch failed', { cause: new PlatformError('egress_denied') }),
      unsent,
      'not_sent',
      'egress_denied',
    ],
    [
      'socket lost after sending',
      fetchFailed('UND_ERR_SOCKET'),
      sent,
      'sent_no_answer',
      'upstream_unreachable',
      { reason: 'connection_lost' },
    ],
    [
      'reset after sending',
      fetchFailed('ECONNRESET'),
      sent,
      'sent_no_answer',
      'upstream_unreachable',
      { reason: 'connection_lost' },
    ],
    [
      'reset before sending',
      fetchFailed('ECONNRESET'),
      unsent,
      'not_sent',
      'upstream_unreachable',
      { reason: 'connection_lost' },
    ],
    [
      'body cut',
      new TypeError('terminated', { cause: coded('UND_ERR_SOCKET') }),
      answered(200),
      'sent_no_answer',
      'upstream_unreachable',
    ],
    [
      'timeout after sending',
      new SdkError(SdkErrorCode.RequestTimeout, 'Request timed out'),
      sent,
      'sent_no_answer',
      'deadline_exceeded',
    ],
    [
      'timeout before sending',
      new SdkError(SdkErrorCode.RequestTimeout, 'Request timed out'),
      unsent,
      'not_sent',
      'deadline_exceeded',
    ],
    [
      'no headers in time',
      fetchFailed('UND_ERR_HEADERS_TIMEOUT'),
      sent,
      'sent_no_answer',
      'deadline_exceeded',
    ],
    [
      'cancelled after sending',
      new SdkError(SdkErrorCode.RequestTimeout, 'AbortError'),
      { ...sent, cancelled: true },
      'sent_no_answer',
      'cancelled',
    ],
    [
      'cancelled before sending',
      new SdkError(SdkErrorCode.RequestTimeout, 'AbortError'),
      { ...unsent, cancelled: true },
      'not_sent',
      'cancelled',
    ],
    [
      'stream ended',
      new SdkError(SdkErrorCode.ConnectionClosed, 'closed'),
      sent,
      'sent_no_answer',
      'upstream_unreachable',
      { reason: 'connection_lost' },
    ],
    [
      'child gone',
      new SdkError(SdkErrorCode.NotConnected, 'gone'),
      unsent,
      'not_sent',
      'upstream_unreachable',
      { reason: 'connection_lost' },
    ],
    ['something unheard of, sent', new Error('?'), sent, 'sent_no_answer', 'upstream_unreachable'],
    ['something unheard of, unsent', new Error('?'), unsent, 'not_sent', 'upstream_unreachable'],
    ['401', http(401), answered(401), 'not_sent', 'upstream_denied', { upstream_status: 401 }],
    ['403', http(403), answered(403), 'answered', 'upstream_denied', { upstream_status: 403 }],
    [
      '401 with a challenge',
      http(401),
      answered(401, {
        challenge: 'Bearer realm="x", token="abc", resource_metadata="https://a.test/m", scope="a b"',
      }),
      'not_sent',
      'upstream_denied',
      { upstream_status: 401, challenge: 'Bearer resource_metadata="https://a.test/m", scope="a b"' },
    ],
    [
      '403 for want of a scope',
      http(403),
      answered(403, { challenge: 'Bearer error="insufficient_scope", scope="a b"' }),
      'answered',
      'scope_insufficient',
      { upstream_status: 403, scopes: ['a', 'b'] },
    ],
    [
      '403 for want of a scope that is not named',
      http(403),
      answered(403, { challenge: 'DPoP algs="ES256", Bearer error=insufficient_scope' }),
      'answered',
      'scope_insufficient',
      { upstream_status: 403, scopes: [] },
    ],
    [
      '404 of a session',
      http(404),
      answered(404, { hadSession: true }),
      'not_sent',
      'upstream_unreachable',
      { sessionLost: true },
    ],
    [
      '404 without a session',
      http(404),
      answered(404),
      'answered',
      'upstream_protocol_error',
      { upstream_status: 404 },
    ],
    [
      '404 for an unknown method',
      http(404),
      answered(404, { hadSession: true, body: unknownMethod }),
      'answered',
      'upstream_protocol_error',
      { upstream_code: -32601 },
    ],
    [
      '400 that means a lost session',
      http(400),
      answered(400, { hadSession: true, body: noSession }),
      'not_sent',
      'upstream_unreachable',
      { sessionLost: true },
    ],
    [
      '400 with a session',
      http(400),
      answered(400, { hadSession: true, body: 'bad' }),
      'answered',
      'upstream_protocol_error',
      { upstream_status: 400 },
    ],
    [
      '400 without a session',
      http(400),
      answered(400, { body: noSession }),
      'answered',
      'upstream_protocol_error',
      { upstream_code: -32000 },
    ],
    ['429', http(429), answered(429), 'not_sent', 'upstream_rate_limited'],
    [
      '503 with Retry-After',
      http(503),
      answered(503, { retryAfterMs: 2000 }),
      'not_sent',
      'upstream_rate_limited',
    ],
    [
      '503 without',
      http(503),
      answered(503),
      'sent_no_answer',
      'upstream_unreachable',
      { upstream_status: 503 },
    ],
    ['500', http(500), answered(500), 'sent_no_answer', 'upstream_unreachable', { upstream_status: 500 }],
    [
      '502, told by the SDK alone',
      http(502),
      sent,
      'sent_no_answer',
      'upstream_unreachable',
      { upstream_status: 502 },
    ],
    [
      'redirect not followed',
      http(307),
      answered(307),
      'answered',
      'upstream_protocol_error',
      { reason: 'redirect_not_followed' },
    ],
    [
      'JSON-RPC error',
      new ProtocolError(-32602, 'Unknown tool'),
      answered(200),
      'answered',
      'upstream_protocol_error',
      { upstream_code: -32602, upstream_message: 'Unknown tool' },
    ],
    [
      'JSON-RPC error with HTTP 400',
      new ProtocolError(-32021, 'No', { requiredCapabilities: {} }),
      answered(400),
      'answered',
      'upstream_protocol_error',
      { upstream_code: -32021, upstream_data: { requiredCapabilities: {} } },
    ],
    [
      'an answer that is no JSON',
      new SyntaxError('Unexpected token'),
      answered(200),
      'answered',
      'upstream_protocol_error',
    ],
    [
      'an answer that is a page',
      new SdkError(SdkErrorCode.ClientHttpUnexpectedContent, 'text/html'),
      answered(200),
      'answered',
      'upstream_protocol_error',
    ],
    [
      'an answer too large',
      new PlatformError('result_too_large'),
      answered(200),
      'answered',
      'result_too_large',
    ],
  ])('%s', (_, thrown, facts, failureClass, code, details = {}) => {
    const found = classifyFailure(thrown, facts);
    expect(found).toMatchObject({ failureClass, error: { code } });
    expect(found.error.details ?? {}).toMatchObject(details);
  });

  it('hands on when to come back', () => {
    expect(classifyFailure(http(429), answered(429, { retryAfterMs: 1500 })).error.retryAfterMs).toBe(1500);
  });

  it('cuts what the upstream says, and leaves out data that is large', () => {
    const { details } = classifyFailure(
      new ProtocolError(-1, 'x'.repeat(9999), { big: 'y'.repeat(9999) }),
      sent,
    ).error;
    expect(details).toEqual({ upstream_code: -1, upstream_message: 'x'.repeat(500) });
  });

  it('names no address', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:80'), {
      code: 'ECONNREFUSED',
      address: '10.1.2.3',
    });
    expect(
      JSON.stringify(classifyFailure(new TypeError('fetch failed', { cause: refused }), unsent)),
    ).not.toContain('10.1.2.3');
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  it.each([
    ['5', 5000],
    ['Sat, 21 Nov 2026 12:00:07 GMT', 7000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['99999999', 86_400_000],
    ['soon', undefined],
    [null, undefined],
  ])('%s', (header, expected) => expect(retryAfterMs(header, now)).toBe(expected));
});

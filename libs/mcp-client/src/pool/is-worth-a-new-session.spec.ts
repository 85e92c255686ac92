import { describe, expect, it } from '@jest/globals';
import type { ErrorCode, FailureClass } from '@switchyard/contracts';
import { failure } from '../failures/failure.js';
import { isWorthANewSession, type SessionFacts } from './is-worth-a-new-session.js';

const facts: SessionFacts = { isLost: false, isReused: true, adoptedEra: false, safe: false };
const unreachable = (failureClass: FailureClass, reason: string, code: ErrorCode = 'upstream_unreachable') =>
  failure(failureClass, code, { reason });

const answered = (details: object) => failure('answered', 'upstream_protocol_error', { ...details });

describe('isWorthANewSession', () => {
  it.each<[string, ReturnType<typeof failure>, Partial<SessionFacts>, boolean]>([
    ['the server forgot the session', unreachable('not_sent', 'session_lost'), {}, true],
    [
      'the server forgot a session that was just opened',
      unreachable('not_sent', 'session_lost'),
      { isReused: false },
      true,
    ],
    ['the child is gone', unreachable('not_sent', 'connection_lost'), { isLost: true }, true],
    ['refused on an old session', unreachable('not_sent', 'connection_refused'), {}, true],
    ['refused on a new one', unreachable('not_sent', 'connection_refused'), { isReused: false }, false],
    ['lost after sending, unsafe', unreachable('sent_no_answer', 'connection_lost'), {}, false],
    [
      'lost after sending, unsafe, session gone',
      unreachable('sent_no_answer', 'connection_lost'),
      { isLost: true },
      false,
    ],
    ['lost after sending, safe', unreachable('sent_no_answer', 'connection_lost'), { safe: true }, true],
    ['server error, safe', unreachable('sent_no_answer', 'server_error'), { safe: true }, false],
    ['deadline, safe', unreachable('sent_no_answer', 'x', 'deadline_exceeded'), { safe: true }, false],
    ['denied', failure('not_sent', 'upstream_denied', { upstream_status: 401 }), {}, false],
    ['rate limited', failure('not_sent', 'upstream_rate_limited'), { safe: true }, false],
    ['an unsupported version', answered({ upstream_status: 400, upstream_code: -32022 }), {}, true],
    [
      'an unsupported version on a new session that was asked',
      answered({ upstream_code: -32022 }),
      { isReused: false },
      false,
    ],
    [
      'an unsupported version on a new session that was not',
      answered({ upstream_code: -32022 }),
      { isReused: false, adoptedEra: true },
      true,
    ],
    [
      'a server that wants a handshake',
      answered({ upstream_status: 400, upstream_message: 'Bad Request: Server not initialized' }),
      {},
      true,
    ],
    ['another refusal', answered({ upstream_status: 400, upstream_message: 'bad arguments' }), {}, false],
    [
      'a JSON-RPC error',
      answered({ upstream_code: -32602, upstream_message: 'No such session id' }),
      {},
      false,
    ],
  ])('%s', (_, found, more, expected) =>
    expect(isWorthANewSession(found, { ...facts, ...more })).toBe(expected),
  );
});

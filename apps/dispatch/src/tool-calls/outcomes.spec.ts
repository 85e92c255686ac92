import { describe, expect, it } from '@jest/globals';
import { callStates, PlatformError, ToolCallOutcome } from '@switchyard/contracts';
import type { KnownCall } from '../ledger/ledger.repository.js';
import { failed, fromLedger } from './outcomes.js';

const callId = '0197e6a0-0000-7000-8000-000000000001';
const socketLost = {
  failureClass: 'sent_no_answer',
  error: new PlatformError('upstream_unreachable').toInfo(),
} as const;

function known(row: Partial<KnownCall>): KnownCall {
  return {
    status: 'running',
    round: 0,
    worker_id: null,
    holder: null,
    safe: null,
    result: null,
    error_code: null,
    error_message: null,
    error_details: null,
    retry_after_ms: null,
    auth_path: null,
    ...row,
  };
}

describe('failed', () => {
  it('is outcome_unknown, with the reason, for an unsafe tool whose answer was lost', () => {
    expect(failed(callId, 'none', { failure: socketLost, safe: false })).toMatchObject({
      status: 'outcome_unknown',
      error: { code: 'outcome_unknown', details: { reason: 'upstream_unreachable' } },
    });
  });

  it('is failed for a safe tool whose answer was lost', () => {
    expect(failed(callId, 'none', { failure: socketLost, safe: true })).toMatchObject({
      status: 'failed',
      error: { code: 'upstream_unreachable' },
    });
  });

  it('is failed for an unsafe tool that was never reached', () => {
    expect(
      failed(callId, 'none', { failure: { ...socketLost, failureClass: 'not_sent' }, safe: false }).status,
    ).toBe('failed');
  });
});

describe('fromLedger', () => {
  it('gives a stored result again', () => {
    const result = { content: [{ type: 'text', text: 'done' }] };
    expect(fromLedger(callId, known({ status: 'completed', result, auth_path: 'static' }))).toEqual({
      status: 'completed',
      callId,
      authPath: 'static',
      result,
    });
  });

  it('judges a running call of a lost worker as unknown', () => {
    expect(fromLedger(callId, known({}))).toMatchObject({
      status: 'outcome_unknown',
      error: { details: { reason: 'worker_lost' } },
    });
  });

  it('gives a stored error again with its own words', () => {
    const row = known({
      status: 'failed',
      error_code: 'result_too_large',
      error_message: 'Too large: 5.',
      error_details: { size_bytes: 5 },
    });
    expect(fromLedger(callId, row)).toMatchObject({
      status: 'failed',
      error: { code: 'result_too_large', message: 'Too large: 5.', details: { size_bytes: 5 } },
    });
  });

  it.each(callStates)('gives a valid outcome for a call that is %s', (status) => {
    expect(() =>
      ToolCallOutcome.parse(fromLedger(callId, known({ status, error_code: 'cancelled' }))),
    ).not.toThrow();
  });
});

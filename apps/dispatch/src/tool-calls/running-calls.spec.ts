import { describe, expect, it } from '@jest/globals';
import type { ToolCall } from '@switchyard/contracts';
import { RunningCalls } from './running-calls.js';

const call = { callId: 'c1', caller: { virtualKeyId: 'k1' } } as unknown as ToolCall;

describe('RunningCalls', () => {
  it('aborts a safe call that was sent', () => {
    const calls = new RunningCalls();
    const running = calls.begin(call, true);
    running.sent = true;
    calls.cancel('c1');
    expect(running.signal.reason).toBe('cancelled');
  });

  it('lets an unsafe call that was sent run on', () => {
    const calls = new RunningCalls();
    const running = calls.begin(call, false);
    running.sent = true;
    calls.cancel('c1');
    expect(running.signal.aborted).toBe(false);
  });

  it('aborts an unsafe call that was not sent yet', () => {
    const calls = new RunningCalls();
    const running = calls.begin(call, false);
    calls.cancel('c1');
    expect(running.signal.aborted).toBe(true);
  });

  it('remembers a cancellation until its call comes, for ten minutes', () => {
    let now = 0;
    const calls = new RunningCalls(() => now);
    calls.cancel('c1');
    expect(calls.begin(call, false).signal.aborted).toBe(true);
    calls.cancel('c2');
    now = 600_001;
    calls.cancel('c3');
    expect(calls.begin({ ...call, callId: 'c2' }, false).signal.aborted).toBe(false);
  });

  it('aborts the calls of a revoked key and no others', () => {
    const calls = new RunningCalls();
    const revoked = calls.begin(call, true);
    const other = calls.begin(
      { ...call, callId: 'c2', caller: { ...call.caller, virtualKeyId: 'k2' } },
      true,
    );
    calls.abortWhere(({ caller }) => caller.virtualKeyId === 'k1', 'revoked');
    expect(revoked.signal.reason).toBe('revoked');
    expect(other.signal.aborted).toBe(false);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { ToolCall } from '@switchyard/contracts';
import { Sealer } from './sealer.js';
import { sealToolCall, verifyToolCall } from './tool-call-seal.js';

const sealer = new Sealer('k'.repeat(32));
const call = {
  v: 1,
  callId: 'id',
  tool: 'add',
  lane: 'interactive',
  argumentsSha256: 'ab',
} as unknown as ToolCall;

describe('verifyToolCall', () => {
  it('holds after the call went through the database, which sorts keys anew', () => {
    const { seal } = sealToolCall(sealer, call);
    const stored = Object.fromEntries(Object.entries(call).reverse()) as ToolCall;
    expect(verifyToolCall(sealer, { call: stored, seal })).toBe(true);
  });

  it('fails for other arguments and another caller', () => {
    const sealed = sealToolCall(sealer, call);
    expect(verifyToolCall(sealer, { ...sealed, call: { ...call, argumentsSha256: 'cd' } })).toBe(false);
    expect(verifyToolCall(sealer, { ...sealed, call: { ...call, caller: {} as ToolCall['caller'] } })).toBe(
      false,
    );
  });
});

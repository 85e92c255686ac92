import type { SealedToolCall, ToolCall } from '@switchyard/contracts';
import type { Sealer } from './sealer.js';

const purpose = 'tool-call';

/** Seals a call: whoever accepts it puts this on, and dispatch and the token broker check it. */
export function sealToolCall(sealer: Sealer, call: ToolCall): SealedToolCall {
  return { call, seal: sealer.seal(purpose, call) };
}

/** Whether a service that holds the seal key accepted this very call. */
export function verifyToolCall(sealer: Sealer, sealed: SealedToolCall): boolean {
  return sealer.verify(purpose, sealed.call, sealed.seal);
}

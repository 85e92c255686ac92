import { createHash } from 'node:crypto';
import type { CallerContext, ClientSide, ToolCallEvent } from '@switchyard/contracts';
import type { AskCapabilities, UpstreamCallOptions } from '@switchyard/mcp-client';
import { canonicalJson } from '@switchyard/queue';
import type { CallQuestions } from '../questions/call-questions.js';

type Told = (event: ToolCallEvent) => void;

/** What the client of a call declared, if it can be asked anything. */
export function capabilitiesOf(client: ClientSide | undefined): AskCapabilities | undefined {
  const { capabilities } = client ?? {};
  return capabilities && Object.keys(capabilities).length > 0 ? capabilities : undefined;
}

/** Who hears of what an upstream says to the client of a call, and who answers it. */
export function clientListeners(
  questions: CallQuestions,
  { callId, client, emit }: { callId: string; client: ClientSide | undefined; emit: Told },
): Pick<UpstreamCallOptions, 'capabilities' | 'onQuestion' | 'onNotification' | 'onLog' | 'logLevel'> {
  const capabilities = capabilitiesOf(client);
  const logLevel = client?.logLevel;
  return {
    ...(logLevel && { logLevel, onLog: (message) => emit({ kind: 'log', ...message }) }),
    ...(capabilities && {
      capabilities,
      onQuestion: (question) => questions.ask(callId, question, emit),
      onNotification: (method, params) => emit(notification(method, params)),
    }),
  };
}

function notification(method: string, params: Record<string, unknown>): ToolCallEvent {
  return { kind: 'notification', method: method as 'notifications/elicitation/complete', params };
}

/**
 * What sets apart a session that declares what one caller's client can: nobody else may use it, for it may still be in the
 * middle of asking.
 */
export function sessionSuffix(caller: CallerContext, capabilities: AskCapabilities): string {
  const { kind, orgId, userId, virtualKeyId, oauthGrantId } = caller;
  const text = canonicalJson([kind, orgId, userId, virtualKeyId, oauthGrantId ?? null, capabilities]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

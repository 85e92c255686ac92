import { z } from 'zod';
import type { KnownCall } from '../narration/call-narration.js';
import type { KnownMessage } from '../narration/narration.js';
import type { AnyMessage } from './chat-request.js';

/** A person's answer to a request for approval, as their client holds it. */
export type ClientDecision = {
  readonly approvalId: string;
  readonly approved: boolean;
  readonly reason: string | null;
  /** What the client showed. */
  readonly input: unknown;
};

const ToolPart = z.looseObject({
  type: z.string().regex(/^(dynamic-tool|tool-.+)$/),
  toolCallId: z.string(),
  state: z.string(),
  input: z.unknown().optional(),
});
const Approval = z.looseObject({
  id: z.uuid(),
  approved: z.boolean(),
  reason: z.string().max(2_000).optional(),
});
const ReauthPart = z.looseObject({
  type: z.literal('data-needs_reauth'),
  id: z.string(),
  data: z.looseObject({ state: z.literal('waiting'), tool_call_id: z.string() }),
});

/**
 * The decisions in an assistant's message that its client sends back, and what that message has: the stream goes on behind it.
 * Undefined where there is none. All else that the message claims counts for nothing.
 */
export function readDecisions({
  parts,
}: AnyMessage): { decisions: ClientDecision[]; known: KnownMessage } | undefined {
  const tools = parts.flatMap((part) => ToolPart.safeParse(part).data ?? []);
  const decisions = tools.filter(({ state }) => state === 'approval-responded').flatMap(toDecision);
  if (decisions.length === 0) return undefined;
  const calls = tools.map((part): [string, KnownCall] => [part.toolCallId, knownOf(part)]);
  const reauths = parts
    .flatMap((part) => ReauthPart.safeParse(part).data ?? [])
    .map(({ id, data }) => [id, data.tool_call_id] as const);
  const steps = parts.filter(({ type }) => type === 'step-start').length;
  return { decisions, known: { steps, calls: new Map(calls), reauths: new Map(reauths) } };
}

function toDecision({ approval, input }: z.output<typeof ToolPart>): ClientDecision[] {
  const { data } = Approval.safeParse(approval);
  if (!data) return [];
  return [{ approvalId: data.id, approved: data.approved, reason: data.reason ?? null, input }];
}

function knownOf({ state, approval }: z.output<typeof ToolPart>): KnownCall {
  const isAsked = state === 'approval-requested' || state === 'approval-responded';
  const id = (approval as { id?: unknown } | undefined)?.id;
  return { hasEnded: state.startsWith('output-'), approvalId: isAsked && typeof id === 'string' ? id : null };
}

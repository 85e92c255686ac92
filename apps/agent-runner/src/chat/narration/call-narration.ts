import type { AgentDefinition, ErrorInfo } from '@switchyard/contracts';
import type { ChatChunk } from '@switchyard/models';
import type { PlannedTool } from '../../runs/run-data.js';
import type { WatchedCall } from '../../watch/watched-runs.repository.js';
import { approvalPart } from './chat-parts.js';

/** What a client's message has of a call already. */
export type KnownCall = {
  readonly hasEnded: boolean;
  /** Of the request for approval that it shows; null where it shows none. */
  readonly approvalId: string | null;
  /** What was decided, where the client's part says otherwise. */
  readonly wasApproved?: boolean;
};

export type NarratedTool = {
  readonly toolCallId: string;
  readonly tool: PlannedTool | undefined;
  readonly agent: AgentDefinition | null;
};

/** The ends of a call that nobody let happen. */
const notApproved = ['approval_denied', 'approval_expired', 'approval_stale'];

/** One call of a run as a client is told of it, each thing once. */
export class CallNarration {
  #isKnown: boolean;
  #hasEnded: boolean;
  /** A call that is made again, after its user has connected, may need another approval. */
  #approvalId: string | null;
  #isApprovalShown: boolean;
  #wasApproved: boolean | undefined;

  constructor(
    private readonly narrated: NarratedTool,
    known: KnownCall | undefined,
  ) {
    this.#isKnown = known !== undefined;
    this.#hasEnded = known?.hasEnded ?? false;
    this.#approvalId = known?.approvalId ?? null;
    this.#isApprovalShown = this.#approvalId !== null;
    this.#wasApproved = known?.wasApproved;
  }

  tell(call: WatchedCall): ChatChunk[] {
    return [...this.#input(call), ...this.#correction(call), ...this.#approval(call), ...this.#end(call)];
  }

  #input({ outwardName, asked }: WatchedCall): ChatChunk[] {
    if (this.#isKnown) return [];
    this.#isKnown = true;
    const { toolCallId, tool } = this.narrated;
    const title = tool?.wire.title;
    const named = { toolCallId, toolName: outwardName ?? asked.name, ...(title !== undefined && { title }) };
    return [{ type: 'tool-input-available', ...named, input: asked.arguments, dynamic: true }];
  }

  /** `ai` keeps a reason that it has until it is asked again. The answer follows at once, so that nobody sees it ask. */
  #correction(call: WatchedCall): ChatChunk[] {
    const approved = this.#wasApproved;
    if (approved === undefined) return [];
    this.#wasApproved = undefined;
    const response = { approvalId: call.callId, approved };
    return [this.#request(call), { type: 'tool-approval-response', ...response }];
  }

  #approval(call: WatchedCall): ChatChunk[] {
    const isWaiting = call.state === 'waiting_approval';
    const chunks: ChatChunk[] = [];
    if (isWaiting && this.#approvalId !== call.callId) chunks.push(this.#request(call));
    if (isWaiting === this.#isApprovalShown) return chunks;
    this.#isApprovalShown = isWaiting;
    const data = approvalPart({ call, ...this.narrated }, isWaiting ? 'waiting' : 'decided');
    return [...chunks, { type: 'data-approval_required', id: call.callId, data }];
  }

  #end(call: WatchedCall): ChatChunk[] {
    if (call.state !== 'ended' || this.#hasEnded) return [];
    this.#hasEnded = true;
    const error = call.outcome?.['error'] as ErrorInfo | undefined;
    const isRefused = error !== undefined && this.#wasRefused(call, error);
    return [...this.#decision(call, isRefused ? error : undefined), this.#outcome(call, error, isRefused)];
  }

  /** A call whose run was cancelled while it waited was refused too: a client that is told less of it would ask for ever. */
  #wasRefused({ callId, outcome, decidedAt }: WatchedCall, { code }: ErrorInfo): boolean {
    const status = outcome?.['status'];
    if (status === 'cancelled' && decidedAt === null) return this.#approvalId === callId;
    return notApproved.includes(code) || (status === 'denied' && decidedAt !== null);
  }

  /** Whoever decided, and wherever: of each call that waited the client's message says whether it was let go. */
  #decision(call: WatchedCall, refusal: ErrorInfo | undefined): ChatChunk[] {
    const { callId, decidedAt } = call;
    const isRequested = this.#approvalId === callId;
    if (!isRequested && decidedAt === null && !refusal) return [];
    const response = {
      approvalId: callId,
      approved: refusal === undefined,
      ...(refusal && { reason: refusal.message }),
    };
    const request = isRequested ? [] : [this.#request(call)];
    return [...request, { type: 'tool-approval-response', ...response }];
  }

  #request({ callId }: WatchedCall): ChatChunk {
    this.#approvalId = callId;
    return { type: 'tool-approval-request', approvalId: callId, toolCallId: this.narrated.toolCallId };
  }

  #outcome({ outcome }: WatchedCall, error: ErrorInfo | undefined, isRefused: boolean): ChatChunk {
    const { toolCallId } = this.narrated;
    if (isRefused) return { type: 'tool-output-denied', toolCallId };
    if (outcome?.['status'] === 'completed')
      return { type: 'tool-output-available', toolCallId, output: outcome['result'] ?? null, dynamic: true };
    const errorText = error?.message ?? `The call was not made: ${String(outcome?.['problem'])}.`;
    return { type: 'tool-output-error', toolCallId, errorText, dynamic: true };
  }
}

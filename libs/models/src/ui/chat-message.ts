import type { UIMessage, UIMessageChunk } from 'ai';

/** What a chat's answer says of itself; each field as soon as it is known. */
export type ChatMetadata = {
  readonly run_id?: string;
  readonly conversation_id?: string;
  readonly agent?: { readonly id: string; readonly slug: string; readonly name: string };
  /** Of the run. */
  readonly status?: string;
  readonly usage?: {
    readonly input_tokens: number | null;
    readonly output_tokens: number | null;
    readonly total_tokens: number | null;
  };
  /** A code of the platform's catalog of errors. */
  readonly error_code?: string;
  readonly created_at?: string;
};

/** A call that waits for a person, with all that a client shows beside its buttons. */
export type ApprovalPart = {
  readonly state: 'waiting' | 'decided';
  readonly approval_id: string;
  readonly tool_call_id: string;
  readonly tool: string;
  readonly integration: string;
  readonly description: string | null;
  readonly arguments: Record<string, unknown>;
  /** As the tool's server says; true where it says nothing, and for `read_only` and `idempotent` false. */
  readonly risk: {
    readonly read_only: boolean;
    readonly destructive: boolean;
    readonly idempotent: boolean;
    readonly open_world: boolean;
  };
  readonly expires_at: string;
  /** Whether the user of the chat may decide about it now; false: somebody else has to. */
  readonly may_decide: boolean;
  readonly approve_url: string;
  readonly deny_url: string;
};

/** A call that waits until the user has connected the integration. */
export type ReauthPart = {
  /** `cancelled`: the run was, before the user connected. */
  readonly state: 'waiting' | 'connected' | 'cancelled';
  readonly call_id: string;
  readonly tool_call_id: string;
  readonly integration: string;
  readonly reauth_url: string | null;
};

/** The user's decision about a call was not taken. */
export type DecisionRefusedPart = {
  readonly approval_id: string;
  readonly code: string;
  readonly message: string;
};

/** The data parts of a chat's answers, as `data-<name>`. */
export type ChatData = {
  approval_required: ApprovalPart;
  needs_reauth: ReauthPart;
  approval_refused: DecisionRefusedPart;
  /** Results as they are, where the agent or a failing model leaves them so. */
  tool_results: { readonly model_error: { readonly code: string; readonly message: string } | null };
};

/** A message of a chat, as `ai` keeps it at the client. */
export type ChatMessage = UIMessage<ChatMetadata, ChatData>;
/** One piece of the stream in which an answer comes. */
export type ChatChunk = UIMessageChunk<ChatMetadata, ChatData>;

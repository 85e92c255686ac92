import { type Answer, ask } from '../harness/http.js';
import { bearer } from '../harness/mcp-rpc.js';

export type ApprovalView = {
  readonly id: string;
  readonly state: string;
  readonly arguments: Record<string, unknown>;
  readonly arguments_sha256: string;
  readonly asked_by: { readonly user_id: string | null };
  readonly may_decide: boolean;
  readonly code?: string;
};

/** `/api/approvals` as one person, or an admin key. */
export class ApprovalsApi {
  constructor(
    private readonly origin: string,
    private readonly credential: string,
  ) {}

  read(id: string): Promise<Answer<ApprovalView>> {
    return this.#ask(`/${id}`);
  }

  list(query = ''): Promise<Answer<{ items: ApprovalView[] }>> {
    return this.#ask(query);
  }

  approve(id: string, body: object = {}): Promise<Answer<ApprovalView>> {
    return this.#ask(`/${id}/approve`, body);
  }

  deny(id: string, reason: string): Promise<Answer<ApprovalView>> {
    return this.#ask(`/${id}/deny`, { reason });
  }

  #ask<T>(path: string, body?: object): Promise<Answer<T>> {
    return ask<T>(`${this.origin}/api/approvals${path}`, { body, headers: bearer(this.credential) });
  }
}

/** The fields of an integration that has the platform ask a person. */
export function asksFirst(approval: object = {}): Record<string, unknown> {
  return { approval_on_gateway: 'platform', default_policy: 'require_approval', approval };
}

import type { ErrorCode } from '@switchyard/contracts';

/** Why a consent does not come about, as a page says it: what happened, and what to do. */
export const consentProblems = {
  not_found: [404, 'not_found', 'There is no such integration for you.', 'Check the link, or ask an admin.'],
  not_connectable: [409, 'conflict', 'There is nothing to connect here: this integration has no credentials of users.', 'Just use its tools.'],
  not_allowed: [403, 'forbidden', 'Only an admin connects the service identity, and only where one is set.', 'Ask an admin of your organization.'],
  form_expired: [403, 'forbidden', 'This form is not of your present session.', 'Open the page again and send it from there.'],
  state_invalid: [400, 'invalid_request', 'This answer belongs to no consent that was begun here.', 'Begin again from the integration’s page.'],
  state_used: [400, 'invalid_request', 'This consent was completed or refused already.', 'Begin again from the integration’s page.'],
  state_expired: [400, 'invalid_request', 'The consent took longer than ten minutes.', 'Begin again from the integration’s page.'],
  other_user: [403, 'forbidden', 'This consent was begun by somebody else, or in another session.', 'Begin your own from the integration’s page.'],
  issuer_mismatch: [400, 'invalid_request', 'The answer is not from the authorization server that was asked. Nothing of it was used.', 'Begin again; if it stays so, tell an admin.'],
  malformed: [400, 'invalid_request', 'The vendor’s answer is not complete.', 'Begin again; if it stays so, tell an admin.'],
  denied: [403, 'forbidden', 'Consent was not given.', 'Begin again if that was a mistake.'],
  vendor_error: [502, 'upstream_denied', 'The vendor refused the request.', 'Begin again; if it stays so, an admin has to check client and scopes.'],
  code_refused: [502, 'upstream_denied', 'The vendor did not take its own code back.', 'Begin again.'],
  client_refused: [502, 'upstream_denied', 'The vendor does not take our client.', 'An admin has to check the integration’s OAuth client.'],
  client_forgotten: [502, 'upstream_denied', 'The vendor had forgotten our client. It is registered anew.', 'Begin again: it works now.'],
  integration_changed: [409, 'conflict', 'The integration was changed in the meantime.', 'Begin again from the integration’s page.'],
  vendor_unavailable: [503, 'authorization_server_unavailable', 'The vendor’s authorization server did not answer.', 'Try again later.'],
  vendor_unusable: [502, 'upstream_protocol_error', 'The vendor’s authorization server cannot be used as it presents itself.', 'An admin has to check the integration’s address and settings.'],
  address_refused: [502, 'egress_denied', 'The vendor’s metadata lead to an address that is not allowed.', 'An admin has to check the integration’s address and settings.'],
  headers_invalid: [400, 'invalid_request', 'These values cannot be sent as headers.', 'Correct them and send them again.'],
} as const satisfies Record<string, readonly [number, ErrorCode, string, string]>; // prettier-ignore

export type ConsentReason = keyof typeof consentProblems;

/** Thrown on the way of a consent; the page is made of the reason, and of nothing that came from outside. */
export class ConsentProblem extends Error {
  override readonly name = 'ConsentProblem';

  constructor(
    readonly reason: ConsentReason,
    options: { cause?: unknown; integrationId?: string; vendorWords?: string | null } = {},
  ) {
    super(consentProblems[reason][2], { cause: options.cause });
    this.integrationId = options.integrationId ?? null;
    this.vendorWords = options.vendorWords ?? null;
  }

  readonly integrationId: string | null;
  /** Short, printable, and without anything that may be a secret (`libs/mcp-client`). */
  readonly vendorWords: string | null;
}

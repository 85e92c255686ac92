import { PlatformError } from '@switchyard/contracts';

/** Why a vendor cannot be used as it presents itself. In `details.reason` of the error. */
export type VendorReason =
  | 'no_authorization_server'
  | 'metadata_invalid'
  | 'metadata_issuer_mismatch'
  | 'issuer_changed'
  | 'resource_mismatch'
  | 'url_refused'
  | 'pkce_unsupported'
  | 'response_type_unsupported'
  | 'auth_method_unsupported'
  | 'registration_unsupported'
  | 'registration_refused';

const messages: Record<VendorReason, string> = {
  no_authorization_server: 'The server names no authorization server, and none was found.',
  metadata_invalid: 'A metadata document is not valid.',
  metadata_issuer_mismatch: 'The authorization server’s metadata name another issuer.',
  issuer_changed: 'The server names another authorization server than the integration is bound to.',
  resource_mismatch: 'The protected resource metadata are those of another server.',
  url_refused: 'A URL of the metadata is not an https URL without credentials and fragment.',
  pkce_unsupported: 'The authorization server does not say that it supports PKCE with S256.',
  response_type_unsupported: 'The authorization server does not support the authorization code flow.',
  auth_method_unsupported: 'The authorization server supports no way of client authentication that we have.',
  registration_unsupported: 'The authorization server does not register clients.',
  registration_refused: 'The authorization server refused to register a client.',
};

/** The vendor presents itself in a way that we do not accept. Nothing secret has been sent to it. */
export function vendorRefused(reason: VendorReason, cause?: unknown): PlatformError {
  return new PlatformError('upstream_protocol_error', {
    message: messages[reason],
    details: { reason },
    cause,
  });
}

/** The vendor did not answer, or not now. Says nothing of any credential. */
export function vendorUnavailable(reason: string, more: { cause?: unknown; retryAfterMs?: number } = {}) {
  return new PlatformError('authorization_server_unavailable', { details: { reason }, ...more });
}

import { z } from 'zod';
import { ErrorInfo } from './errors.js';

/**
 * How a stored credential fares: `active`; `needs_reauth` (the vendor took it back: its user connects again);
 * `needs_update` (it works, but a tool asked for a scope that was not granted); `orphaned` (it works, but its user has lost
 * access to the integration); `pending` (consent was begun and not finished).
 */
export const CredentialState = z.enum(['active', 'needs_reauth', 'needs_update', 'orphaned', 'pending']);
export type CredentialState = z.infer<typeof CredentialState>;

/** How `client_secret` reaches a token endpoint (RFC 7591, section 2). */
export const TokenEndpointAuthMethod = z.enum(['none', 'client_secret_basic', 'client_secret_post']);
export type TokenEndpointAuthMethod = z.infer<typeof TokenEndpointAuthMethod>;

const Endpoint = z.url({ protocol: /^https?$/ }).max(2_048);
/** RFC 6749, section 3.3. */
const Scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)
  .max(256);

/**
 * What an admin knows of the vendor's authorization server. Everything that is absent is discovered (RFC 9728, RFC 8414,
 * OpenID Connect Discovery) or registered. The client's secret is not here: it goes to the vault alone.
 */
export const OAuthSettings = z.strictObject({
  /** The issuer. Binds the integration: no credential of it ever goes to another. */
  authorization_server: Endpoint.optional(),
  client_id: z.string().min(1).max(1_024).optional(),
  token_endpoint_auth_method: TokenEndpointAuthMethod.optional(),
  /** Asked for at consent and exchange; absent: what the vendor's metadata and challenges say. */
  scopes: z.array(Scope).max(64).optional(),
  /** RFC 8707; absent: what the protected resource metadata says, else the server's URL. */
  resource: Endpoint.optional(),
  /** RFC 8693, section 2.1: for `token_exchange`. */
  audience: z.string().min(1).max(1_024).optional(),
  authorization_endpoint: Endpoint.optional(),
  token_endpoint: Endpoint.optional(),
  revocation_endpoint: Endpoint.optional(),
});
export type OAuthSettings = z.infer<typeof OAuthSettings>;

/** The registry asks the broker what a server's metadata say, to fill an admin's form. */
export const OAuthDiscovery = z.strictObject({ v: z.literal(1), orgId: z.uuid(), url: Endpoint });
export type OAuthDiscovery = z.infer<typeof OAuthDiscovery>;

export const OAuthDiscoveryAnswer = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('found'),
    /** Ready to be sent back as `oauth` of a registration. */
    oauth: OAuthSettings,
    scopesSupported: z.array(z.string()),
    grantTypesSupported: z.array(z.string()),
    /** In the order of the MCP specification: the first is what a consent would use. */
    registration: z.array(z.enum(['configured', 'metadata_document', 'dynamic'])),
  }),
  /** The server answers without a token. */
  z.strictObject({ status: z.literal('open') }),
  z.strictObject({ status: z.literal('refused'), error: ErrorInfo }),
]);
export type OAuthDiscoveryAnswer = z.infer<typeof OAuthDiscoveryAnswer>;

import { z } from 'zod';
import { AuthPath, CallerContext } from './callers.js';
import { ErrorInfo } from './errors.js';
import { SealedToolCall } from './tool-calls.js';

/** An elliptic-curve public key (RFC 7517) to which an answer is sealed (RFC 7516, ECDH-ES). */
export const PublicJwk = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
});
export type PublicJwk = z.infer<typeof PublicJwk>;

/**
 * A worker asks for what it needs to call an upstream. `call` is the sealed call for which it asks, and null for
 * discovery (catalog-sync, and the owner of a stdio child that starts it), which may only have the
 * integration's own credential.
 */
export const LeaseRequest = z.strictObject({
  v: z.literal(1),
  orgId: z.uuid(),
  integrationId: z.uuid(),
  call: SealedToolCall.nullable(),
  caller: CallerContext.nullable(),
  /** The asking worker's ephemeral key: nobody else can open the answer. */
  recipient: PublicJwk,
  /**
   * The lease that the upstream answered with 401. The broker refreshes, unless somebody else has; `again` says that the
   * lease was itself the answer to a refusal, so that the credential is given up and its user has to connect again.
   */
  refused: z.strictObject({ credential: z.string().min(1).max(128), again: z.boolean() }).nullable(),
  /** Scopes that the upstream asked for when it answered 403 `insufficient_scope` (RFC 6750, section 3.1). */
  insufficientScopes: z.array(z.string().max(256)).max(64).nullable(),
  /** `ToolCallJob.subjectToken`, for the exchange. */
  subjectToken: z.string().max(32_768).nullable(),
});
export type LeaseRequest = z.infer<typeof LeaseRequest>;

export const LeaseAnswer = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('granted'),
    authPath: AuthPath,
    /** Compact JWE of a `LeaseContent`. */
    jwe: z.string(),
    /** Epoch milliseconds until which the worker may keep it in memory. */
    expiresAt: z.number().int(),
    /** Whose credential it is. Opaque; upstream sessions are pooled by it and never shared across it. */
    principal: z.string().min(1).max(128),
    /** Names this very credential, to be sent back in `refused`. Opaque, and gives nothing of it away. */
    credential: z.string().min(1).max(128),
  }),
  z.strictObject({ status: z.literal('refused'), authPath: AuthPath, error: ErrorInfo }),
]);
export type LeaseAnswer = z.infer<typeof LeaseAnswer>;

/** What the JWE of a lease holds: HTTP headers, or environment variables of a stdio child. */
export const LeaseContent = z.strictObject({
  headers: z.record(z.string(), z.string()),
  env: z.record(z.string(), z.string()),
});
export type LeaseContent = z.infer<typeof LeaseContent>;

/** The registry hands secret values to the broker, sealed to the broker's public key (`broker.v_public_keys`). */
export const VaultWrite = z.discriminatedUnion('op', [
  z.strictObject({
    v: z.literal(1),
    op: z.literal('put'),
    orgId: z.uuid(),
    integrationId: z.uuid(),
    /**
     * `oauth_client` holds `client_secret`, of the client that the admin registered with the vendor. Of an agent,
     * `model_key` holds `api_key`; of a webhook, `webhook` holds `current` and, while it is rotated, `previous`:
     * then `integrationId` is the agent's or the webhook's id.
     */
    kind: z.enum(['headers', 'env', 'oauth_client', 'model_key', 'webhook']),
    /** Compact JWE of a record of strings. Replaces the whole set of that kind. */
    jwe: z.string(),
  }),
  /** `current` in the JWE takes the place of the stored one, which becomes `previous`: only the broker can read it. */
  z.strictObject({
    v: z.literal(1),
    op: z.literal('rotate'),
    orgId: z.uuid(),
    integrationId: z.uuid(),
    kind: z.literal('webhook'),
    jwe: z.string(),
  }),
  /** Forgets `previous`. */
  z.strictObject({
    v: z.literal(1),
    op: z.literal('drop_previous'),
    orgId: z.uuid(),
    integrationId: z.uuid(),
    kind: z.literal('webhook'),
  }),
  z.strictObject({ v: z.literal(1), op: z.literal('delete'), orgId: z.uuid(), integrationId: z.uuid() }),
]);
export type VaultWrite = z.infer<typeof VaultWrite>;

export const VaultWriteAnswer = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('stored'), names: z.array(z.string()) }),
  z.strictObject({ status: z.literal('refused'), error: ErrorInfo }),
]);
export type VaultWriteAnswer = z.infer<typeof VaultWriteAnswer>;

/** agent-runner asks for the key of an agent's model, or for the secrets by which a webhook's deliveries are checked. */
export const SecretLeaseRequest = z.strictObject({
  v: z.literal(1),
  orgId: z.uuid(),
  /** The agent or the webhook. */
  ownerId: z.uuid(),
  kind: z.enum(['model_key', 'webhook']),
  /** The asker's ephemeral key: nobody else can open the answer. */
  recipient: PublicJwk,
});
export type SecretLeaseRequest = z.infer<typeof SecretLeaseRequest>;

export const SecretLeaseAnswer = z.discriminatedUnion('status', [
  /** Compact JWE of a record of strings, by the names under which they were put. */
  z.strictObject({ status: z.literal('granted'), jwe: z.string() }),
  z.strictObject({ status: z.literal('refused'), error: ErrorInfo }),
]);
export type SecretLeaseAnswer = z.infer<typeof SecretLeaseAnswer>;

import { z } from 'zod';
import { AuthPath } from './callers.js';
import { ErrorCodeSchema } from './errors.js';

/** What happened. Past tense, and one word per thing that an auditor asks for. */
export const AuditAction = z.enum([
  'signed_in',
  'sign_in_refused',
  'caller_refused',
  'client_registered',
  'discovery_refused',
  'consent_begun',
  'consent_granted',
  'consent_refused',
  'credential_stored',
  'credential_refreshed',
  'refresh_failed',
  'credential_disconnected',
  'token_exchanged',
  'exchange_refused',
  'lease_granted',
  'lease_refused',
  'master_key_rotated',
  'client_authorized',
  'client_denied',
  'grant_revoked',
  'refresh_reused',
  'settings_changed',
  'approval_requested',
  'approval_granted',
  'approval_denied',
  'approval_refused',
  'tools_left_out',
  'webhook_refused',
]);
export type AuditAction = z.infer<typeof AuditAction>;

/** One event for the chained audit log (`broker.audit_events`). Never holds a token, a code or a secret. */
export const AuditEvent = z.strictObject({
  /** Null: nobody knows which organization a refused caller meant; the operator's own events. */
  orgId: z.uuid().nullable(),
  /** Epoch milliseconds. */
  at: z.number().int(),
  action: AuditAction,
  result: z.enum(['ok', 'refused', 'failed']),
  /** Who did it. */
  actor: z.strictObject({
    kind: z.enum(['user', 'admin', 'virtual_key', 'service', 'anonymous']),
    id: z.string().max(255).nullable(),
  }),
  /** For whom: whose credential it is. */
  userId: z.uuid().nullable(),
  integrationId: z.uuid().nullable(),
  callId: z.uuid().nullable(),
  authPath: AuthPath.nullable(),
  code: ErrorCodeSchema.nullable(),
  /** Why, in words of ours, and facts such as issuer and scopes. */
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
});
export type AuditEvent = z.infer<typeof AuditEvent>;

/** What other services refuse at their own doors; the broker writes it down. */
export const AuditRecords = z.strictObject({ v: z.literal(1), events: z.array(AuditEvent).min(1).max(200) });
export type AuditRecords = z.infer<typeof AuditRecords>;

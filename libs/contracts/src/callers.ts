import { z } from 'zod';

/** The organization `default`, which the registry's first migration creates: the operator's, and that of anonymous callers. */
export const DEFAULT_ORGANIZATION_ID = '00000000-0000-4000-8000-000000000001';

/** A role of a user, as the identity provider of the organization names it. */
export const Role = z.string().min(1).max(128);

/** Who makes a call; travels inside every tool call and is covered by its seal. */
export const CallerContext = z.strictObject({
  /** `service`: a machine key with no user behind it; `anonymous`: only where `enforce_auth_on_inference` is off. */
  kind: z.enum(['user', 'service', 'anonymous']),
  orgId: z.uuid(),
  userId: z.uuid().nullable(),
  virtualKeyId: z.uuid().nullable(),
  /** The face or run through which the call came. */
  runKind: z.enum(['mcp', 'bff', 'async_api', 'chat', 'schedule', 'webhook']),
  /** The user's roles when the call was accepted; empty for everybody else. */
  roles: z.array(Role).max(64),
  /** Whether the user's own token travels with the call, sealed to the broker, so that it can be exchanged. */
  hasSubjectToken: z.boolean(),
  /**
   * The user's claims that the policies of the organization ask for, by dotted path, as they were when the request was
   * authenticated; no others travel. Absent for everybody who came without a token of their own.
   */
  claims: z.record(z.string().min(1).max(256), z.unknown()).optional(),
  /** The toolset at whose address the caller came (`/mcp/{toolset}`): then its tools under its names, and no others. */
  toolsetId: z.uuid().optional(),
  /** What the user shared with the OAuth client through which they call; absent where nothing narrows it. */
  sharedIntegrationIds: z.array(z.uuid()).max(1_000).optional(),
  /** The OAuth grant under which the client calls; absent for every other credential. */
  oauthGrantId: z.uuid().optional(),
  /** The agent in whose run the call is made: then what the agent was granted, and no more. */
  agentId: z.uuid().optional(),
});
export type CallerContext = z.infer<typeof CallerContext>;

/** `interactive` calls never wait behind `background` ones: each lane has a queue and a concurrency of its own. */
export const Lane = z.enum(['interactive', 'background']);
export type Lane = z.infer<typeof Lane>;

/** The lane of a face: the async API, schedules and webhooks are background work, all else has somebody waiting. */
export function laneOf(runKind: CallerContext['runKind']): Lane {
  return runKind === 'async_api' || runKind === 'schedule' || runKind === 'webhook'
    ? 'background'
    : 'interactive';
}

/** Under which identity a call ran (`architecture.md`, "Who a call runs as"). */
export const AuthPath = z.enum([
  'none',
  'static',
  'service_token',
  'user_token',
  'service_user',
  'exchanged_token',
  'needs_reauth',
  'auth_context_unavailable',
]);
export type AuthPath = z.infer<typeof AuthPath>;

export const AuthMode = z.enum([
  'none',
  'headers',
  'client_credentials',
  'authorization_code',
  'token_exchange',
]);
export type AuthMode = z.infer<typeof AuthMode>;

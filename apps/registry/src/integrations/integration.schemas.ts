import { AuthMode, IntegrationState, OAuthSettings, Transport } from '@switchyard/contracts';
import { PageQuery } from '@switchyard/service-kit';
import { z } from 'zod';
import { ApprovalChanges, ApprovalSettings, Mode } from '../approval-terms/approval-terms.schemas.js';
import { DisplayName, RateLimit, Slug, ToolNames } from '../http/fields.js';
import { SecretValue, storedMark } from '../vault/secret-value.js';

const second = 1_000;
const day = 86_400 * second;

/** Name to value. Values go to the token broker's vault and are never shown again; a set replaces the one before. */
const SecretValues = z.record(z.string().min(1).max(256), SecretValue);

const DeadlineMs = z.int().min(second).max(day).describe('Milliseconds, from one second to 24 hours.');

const ToolOverride = z.strictObject({
  enabled: z.boolean().optional(),
  safe: z
    .boolean()
    .optional()
    .describe('Whether a call may be sent twice; without it the vendor’s hints decide.'),
  deadline_ms: DeadlineMs.optional(),
  cache_seconds: z
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .describe(
      'Serve a result again for so long, to the same identity; only of a tool that says that it only reads.',
    ),
  policy: Mode.optional().describe(
    'Whether a call runs by itself; an agent’s own word for the tool beats it.',
  ),
});
export const ToolOverrides = z
  .record(z.string().min(1).max(256), ToolOverride)
  .describe('By the upstream’s tool name.');
export type ToolOverrides = z.output<typeof ToolOverrides>;

const UpstreamRateLimit = RateLimit.describe(
  'A token bucket over the whole fleet: `limit` calls at once, refilled evenly over `interval_ms`. Calls over it wait.',
);

/** RFC 9110, section 5.6.2. */
const HeaderName = z
  .string()
  .max(256)
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'is not a header name');

const UserHeaderNames = z
  .array(HeaderName)
  .max(16)
  .refine(
    (names) => new Set(names.map((name) => name.toLowerCase())).size === names.length,
    'names a header twice',
  )
  .describe('Headers of which each user brings a value of their own; with auth_mode `headers`.');

const settings = {
  name: DisplayName.describe('Defaults to the slug.'),
  transport: Transport,
  auth_mode: AuthMode.describe('Defaults to `headers` if headers are given, else `none`.'),
  headers: SecretValues.describe('HTTP headers for the upstream; with auth_mode `headers`.'),
  env: SecretValues.describe('Environment of a stdio server.'),
  user_header_names: UserHeaderNames,
  oauth: OAuthSettings.nullable().describe(
    'What is known of the vendor’s authorization server; what is absent is discovered. Replaced as a whole.',
  ),
  client_secret: SecretValue.nullable().describe('Of the client in `oauth`. Null drops the stored one.'),
  service_user_id: z
    .uuid()
    .nullable()
    .describe(
      'As whom calls run where nobody is present; an active user of the organization. Only with auth_mode `authorization_code`.',
    ),
  available_in_chat: z.boolean(),
  available_to_autonomous: z.boolean(),
  tools_to_execute: ToolNames.describe('Null: all tools. Empty: none. `["*"]`: all. Else these.'),
  tools_to_skip: ToolNames.describe('Asked only where tools_to_execute is null.'),
  tool_overrides: ToolOverrides,
  deadline_ms: DeadlineMs.nullable(),
  max_concurrency: z.int().min(1).max(100_000).nullable().describe('Calls at once over the whole fleet.'),
  rate_limit: UpstreamRateLimit.nullable(),
  pinned: z
    .boolean()
    .describe('Serve a tool only as an admin approved it; switching it on approves what is there.'),
  default_policy: Mode.nullable().describe(
    'Of tools that have no word of their own in tool_overrides. Null: calls of agents wait for approval.',
  ),
  approval_on_gateway: z
    .enum(['host', 'platform'])
    .describe(
      'Who asks before a call from `/mcp`, BFF, `/v1/mcp` or the async API runs: `host`, the client that makes it; `platform`: calls wait here as the policies say.',
    ),
  approval: ApprovalChanges.describe(
    'Of approvals with approval_on_gateway `platform`. What it does not name stays.',
  ),
  sync_interval_seconds: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .describe('0 turns syncs by interval off.'),
  auto_reconnect: z.boolean(),
  enabled: z.boolean(),
  retention: z
    .enum(['always', 'ledger_first', 'never'])
    .describe('Which calls’ arguments and results the ledger keeps.'),
};

export const CreateIntegration = z
  .strictObject({
    ...z.object(settings).partial().shape,
    slug: Slug,
    transport: settings.transport,
    kind: z.literal('external_mcp').default('external_mcp'),
    scope: z.enum(['global', 'organization', 'user']).default('organization'),
    owner_user_id: z
      .uuid()
      .nullable()
      .default(null)
      .describe('With scope `user`: whose it is. For them it wins over the organization’s of the same slug.'),
  })
  .meta({ id: 'CreateIntegration' });
export type CreateIntegrationBody = z.output<typeof CreateIntegration>;

export const UpdateIntegration = z
  .strictObject(z.object(settings).partial().shape)
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdateIntegration' });
export type UpdateIntegrationBody = z.output<typeof UpdateIntegration>;

export const ListIntegrations = z.strictObject({
  ...PageQuery.shape,
  state: IntegrationState.optional(),
  slug: Slug.optional(),
});
export type ListIntegrationsQuery = z.output<typeof ListIntegrations>;

const StoredNames = z
  .record(z.string(), z.literal(storedMark))
  .describe('The names; values are never shown.');

export const BreakerAnswer = z.strictObject({
  state: z.enum(['closed', 'open', 'half_open']),
  failures: z.int(),
  opened_at: z.iso.datetime().nullable(),
  retry_at: z.iso.datetime().nullable(),
});

const Caller = z.strictObject({
  usable: z.boolean(),
  why: z.string().describe('As whom it is called, or why it cannot be.'),
});
const Callers = z
  .strictObject({
    chat: Caller.describe('A signed-in user: chat, BFF, `/mcp` with the user’s token.'),
    user_key: Caller.describe('A virtual key of a user.'),
    virtual_key: Caller.describe('A virtual key of a machine.'),
    autonomous: Caller.describe('Schedules and webhooks.'),
  })
  .describe('Which callers can use it. What their grants allow is another matter.');
export type CallersBody = z.output<typeof Callers>;

export const IntegrationAnswer = z
  .strictObject({
    id: z.uuid(),
    organization_id: z.uuid(),
    slug: z.string(),
    kind: z.string(),
    scope: z.enum(['global', 'organization', 'user']),
    owner_user_id: z.uuid().nullable(),
    ...settings,
    approval: ApprovalSettings,
    headers: StoredNames,
    env: StoredNames,
    client_secret: z.literal(storedMark).nullable(),
    service_user_set_by: z
      .strictObject({ kind: z.enum(['admin', 'user']), id: z.uuid().nullable() })
      .nullable()
      .describe('`admin`: by the admin key.'),
    service_user_set_at: z.iso.datetime().nullable(),
    callers: Callers,
    version: z.int(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    state: IntegrationState,
    tool_count: z.int(),
    last_sync_at: z.iso.datetime().nullable(),
    last_failure: z
      .object({ stage: z.string(), code: z.string(), message: z.string(), at: z.string(), since: z.string() })
      .nullable(),
    server: z
      .strictObject({
        name: z.string().nullable(),
        version: z.string().nullable(),
        era: z.string().nullable(),
        protocol_version: z.string().nullable(),
        capabilities: z.looseObject({}).nullable(),
        instructions: z
          .string()
          .nullable()
          .describe('The vendor’s text, which MCP clients are shown as such.'),
        feature_problems: z.array(z.string()).describe('Why prompts or resources are not all there.'),
      })
      .nullable()
      .describe('What the upstream said of itself.'),
    breaker: BreakerAnswer,
    process: z
      .strictObject({
        state: z
          .enum(['running', 'stopped', 'unowned'])
          .describe('`stopped`: the next request starts it; `unowned`: no worker holds it just now.'),
        pid: z.int().nullable().describe('On the machine of the worker.'),
        started_at: z.iso.datetime().nullable(),
        worker_id: z.uuid().nullable(),
      })
      .nullable()
      .describe('Of a stdio server; null for all others.'),
    warnings: z.array(z.string()).optional().describe('What works otherwise than the admin may expect.'),
  })
  .meta({ id: 'Integration' });
export type IntegrationAnswerBody = z.input<typeof IntegrationAnswer>;

import type {
  ApprovalTerms,
  AuthMode,
  ChatAccess,
  ExecutionMode,
  IntegrationState,
  LastFailure,
  Transport,
  WireTool,
} from '@switchyard/contracts';

/** An organization, as `registry.v_organizations` publishes it. */
export type OrganizationRecord = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  /** What one user may call in an interval, where a virtual key of theirs does not say otherwise. */
  readonly userRateLimit: RateLimit | null;
};

/** So many calls in so many milliseconds. */
export type RateLimit = { readonly limit: number; readonly intervalMs: number };

/** What an admin decided for one tool; an absent field leaves the catalog's or the integration's word. */
export type ToolOverride = {
  readonly enabled?: boolean;
  readonly safe?: boolean;
  readonly deadlineMs?: number;
  /** How long a result may be served again; heeded only where the tool says that it only reads. */
  readonly cacheSeconds?: number;
  /** Whether a call of it runs by itself or waits for a person. */
  readonly policy?: ExecutionMode;
};

/** A registered upstream MCP server, as `registry.v_integrations` publishes it. Holds no secret. */
export type IntegrationRecord = {
  readonly id: string;
  readonly orgId: string;
  readonly slug: string;
  readonly name: string;
  readonly kind: string;
  readonly scope: 'global' | 'organization' | 'user';
  readonly ownerUserId: string | null;
  readonly transport: Transport;
  readonly authMode: AuthMode;
  readonly serviceUserId: string | null;
  /** Whether `serviceUserId` is an active user of the organization; false without one. */
  readonly serviceUserActive: boolean;
  /** Headers that each user brings for themself, with auth mode `headers`. */
  readonly userHeaderNames: readonly string[];
  readonly headerNames: readonly string[];
  readonly envNames: readonly string[];
  readonly availableInChat: boolean;
  readonly availableToAutonomous: boolean;
  /** `null` = no filter, empty = no tool, `["*"]` = every tool. Looked at first. */
  readonly toolsToExecute: readonly string[] | null;
  /** Looked at only where `toolsToExecute` is `null`. */
  readonly toolsToSkip: readonly string[] | null;
  /** By the upstream's tool name. */
  readonly toolOverrides: Readonly<Record<string, ToolOverride>>;
  readonly deadlineMs: number | null;
  readonly maxConcurrency: number | null;
  readonly rateLimit: RateLimit | null;
  /** Whether only tools that an admin approved, in the very form that they approved, are served. */
  readonly pinned: boolean;
  /** Of tools that have no word of their own; null: none, and then calls of agents wait for a person. */
  readonly defaultPolicy: ExecutionMode | null;
  /** Who asks before a call from `/mcp`, BFF or the async API runs: the host that makes it, or the platform. */
  readonly approvalOnGateway: 'host' | 'platform';
  /** Of the platform's approvals there. */
  readonly approval: ApprovalTerms;
  /** 0 = no sync by interval. */
  readonly syncIntervalSeconds: number;
  readonly autoReconnect: boolean;
  readonly enabled: boolean;
  readonly retention: 'always' | 'ledger_first' | 'never';
  readonly version: number;
  /** Raised, with `version`, by what needs a new connection: how the server is reached, as whom, and with which secrets. */
  readonly connectionVersion: number;
  readonly updatedAt: Date;
};

/** An identity provider whose tokens an organization takes, as `registry.v_identity_providers` publishes it. */
export type IdentityProviderRecord = {
  readonly id: string;
  readonly orgId: string;
  readonly issuer: string;
  readonly audience: string;
  /** Null: discovered at the issuer. */
  readonly jwksUri: string | null;
  /** Dotted path of the claim that holds the user's roles. */
  readonly rolesClaim: string;
  readonly enabled: boolean;
};

/** What a grant names of one integration. `mcpClientName` is as the admin wrote it. */
export type McpConfig = {
  readonly mcpClientName: string;
  readonly toolsToExecute: readonly string[] | null;
  /** Absent: prompts go with a list that covers every tool. */
  readonly prompts?: boolean;
  /** As for prompts. */
  readonly resources?: boolean;
};

/** How tools are listed: each of them, or three by which a client finds, reads about and calls them. */
export type ToolMode = 'all' | 'search';

/** An agent, as `registry.v_agents` publishes it: what the rules ask of it. */
export type AgentRecord = {
  readonly id: string;
  readonly orgId: string;
  readonly slug: string;
  readonly name: string;
  /** None: no tools. */
  readonly mcpConfigs: readonly McpConfig[];
  /** `tools` by outward name. */
  readonly execution: {
    readonly default: ExecutionMode | null;
    readonly tools: Readonly<Record<string, ExecutionMode>>;
  };
  /** Of its runs. */
  readonly approval: ApprovalTerms;
  readonly chatAccess: ChatAccess;
  readonly isActive: boolean;
  readonly version: number;
};

/** A virtual key, as `registry.v_virtual_keys` publishes it: by its hash, never itself. */
export type VirtualKeyRecord = {
  readonly id: string;
  readonly orgId: string;
  readonly name: string;
  /** The user who calls by this key, if it is one user's own. */
  readonly userId: string | null;
  /** Hex SHA-256 of the key. */
  readonly keyHash: string;
  readonly mcpConfigs: readonly McpConfig[];
  readonly rateLimit: RateLimit | null;
  readonly toolMode: ToolMode;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
};

/** A discovered tool, as `catalog.v_tools` publishes it. */
export type ToolRecord = {
  readonly id: string;
  readonly integrationId: string;
  readonly name: string;
  /** As the upstream listed it. */
  readonly wire: WireTool;
  readonly wireSha256: string;
  readonly enabled: boolean;
  readonly disabledReason: string | null;
  /** Whether an admin approved it as it is now. Heeded only on a pinned integration. */
  readonly pinState: PinState;
};

/** `pending`: never approved; `changed`: approved in another form. */
export type PinState = 'approved' | 'pending' | 'changed';

/** How an integration fares, as `catalog.v_integration_states` publishes it. */
export type IntegrationStateRecord = {
  readonly integrationId: string;
  readonly orgId: string;
  readonly state: IntegrationState;
  readonly toolCount: number;
  readonly lastFailure: LastFailure | null;
  readonly lastSyncAt: Date | null;
  readonly version: string;
  readonly era: string | null;
  readonly protocolVersion: string | null;
  readonly serverName: string | null;
  readonly serverVersion: string | null;
  /** What the server says of its use; a vendor's text, capped by catalog-sync. */
  readonly instructions: string | null;
  /** The server's capabilities as it declared them. */
  readonly capabilities: Readonly<Record<string, unknown>> | null;
};

/** A tool under the name that callers use, with what a call of it needs to know. */
export type ResolvedTool = {
  readonly integration: IntegrationRecord;
  readonly tool: ToolRecord;
  readonly outwardName: string;
  /** The upstream's wire object, its name replaced by `outwardName`. */
  readonly wire: WireTool;
  /** Whether it may be sent twice: an admin's word, else `readOnlyHint` or `idempotentHint`. */
  readonly safe: boolean;
  readonly deadlineMs: number | null;
  /** How long a result may be served again; null: never. */
  readonly cacheSeconds: number | null;
};

import type { McpConfig, ToolMode } from './records.js';

/** How a matcher compares a claim (requirements D26). None of them matches a claim that is absent. */
export const claimOperators = [
  'EQUALS',
  'NOT_EQUALS',
  'CONTAINS',
  'NOT_CONTAINS',
  'MATCHES',
  'EXISTS',
  'IN',
  'NOT_IN',
] as const;
export type ClaimOperator = (typeof claimOperators)[number];

/** One condition on a claim of the user's token. */
export type ClaimMatcher = {
  /** Dotted path, or the whole name of a claim that holds dots itself. */
  readonly path: string;
  readonly operator: ClaimOperator;
  /** A list for `IN` and `NOT_IN`, a pattern for `MATCHES`, nothing for `EXISTS`. */
  readonly value?: unknown;
};

/** What signed-in users may use or may not, as `registry.v_policies` publishes it: the active ones. */
export type PolicyRecord = {
  readonly id: string;
  readonly orgId: string;
  /** Null: every user of the organization. */
  readonly roles: readonly string[] | null;
  /** All of them have to match. */
  readonly matchers: readonly ClaimMatcher[];
  readonly effect: 'allow' | 'deny';
  /** The highest that speaks of a tool decides; of equal ones, a denial. */
  readonly priority: number;
  readonly mcpConfigs: readonly McpConfig[];
  readonly groupIds: readonly string[];
};

/** What a tool has to be to be selected; what is absent is not asked. */
export type ToolSelector = {
  /** Glob, or `regex:` and a pattern, over the integration's slug. */
  readonly client?: string;
  /** The same over the tool's name: the upstream's or the outward one. */
  readonly tool?: string;
  readonly readOnly?: boolean;
  readonly destructive?: boolean;
};

/** A named set of tools, as `registry.v_tool_groups` publishes it: what a selector selects, and `include`, less `exclude`. */
export type ToolGroupRecord = {
  readonly id: string;
  readonly orgId: string;
  readonly selectors: readonly ToolSelector[];
  /** Outward names. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
};

/** What a toolset holds of one integration, and what it calls it. */
export type ToolsetConfig = McpConfig & {
  /** By the upstream's name. */
  readonly tools: Readonly<Record<string, { readonly name?: string; readonly description?: string }>>;
};

/** A bundle of tools with an address of its own, as `registry.v_toolsets` publishes it: the active ones. */
export type ToolsetRecord = {
  readonly id: string;
  readonly orgId: string;
  /** Its address is `/mcp/{slug}`. */
  readonly slug: string;
  readonly name: string;
  readonly description: string | null;
  /** Whether names and URIs carry the integration's slug, as they do elsewhere. */
  readonly prefix: boolean;
  readonly toolMode: ToolMode;
  readonly mcpConfigs: readonly ToolsetConfig[];
  /** Who may use it. */
  readonly virtualKeyIds: readonly string[];
  readonly userIds: readonly string[];
  readonly roles: readonly string[];
};

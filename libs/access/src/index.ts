export { agentTools } from './agent-tools.js';
export type { AgentTools, LeftOutReason, LeftOutTool } from './agent-tools.js';
export {
  anonymousCaller,
  authenticateVirtualKey,
  hashVirtualKey,
  virtualKeyStatus,
} from './authenticate-virtual-key.js';
export type { VirtualKeyVerdict } from './authenticate-virtual-key.js';
export { hasIdentity, isAttended, isUnattendedRun } from './available-auth.js';
export { leftOutClaims, policyClaimPaths, projectClaims } from './claims.js';
export { slugOf } from './config-grants.js';
export { executionPolicy } from './execution-policy.js';
export type { ExecutionPolicy, PolicyWord } from './execution-policy.js';
export { explainMissing } from './explain-missing.js';
export type { MissingTool } from './explain-missing.js';
export type {
  FeatureKind,
  FeatureRecord,
  ResolvedPrompt,
  ResolvedResource,
  ResolvedResourceTemplate,
} from './feature-records.js';
export { claimOperators } from './grant-records.js';
export type {
  ClaimMatcher,
  ClaimOperator,
  PolicyRecord,
  ToolGroupRecord,
  ToolSelector,
  ToolsetConfig,
  ToolsetRecord,
} from './grant-records.js';
export { grantedIntegrations } from './granted-integrations.js';
export { linearRegExp, NotLinear } from './linear-regexp.js';
export type { LinearMatcher } from './linear-regexp.js';
export { mayChat } from './may-chat.js';
export { mayDecide } from './may-decide.js';
export { namePattern, wholeMatch } from './name-pattern.js';
export { outwardName, outwardNames } from './outward-name.js';
export { outwardUri, parseOutwardUri, toOutwardUri } from './outward-uri.js';
export { heldPolicies } from './policy-decision.js';
export type {
  AgentRecord,
  IdentityProviderRecord,
  IntegrationRecord,
  IntegrationStateRecord,
  McpConfig,
  OrganizationRecord,
  PinState,
  RateLimit,
  ResolvedTool,
  ToolMode,
  ToolOverride,
  ToolRecord,
  VirtualKeyRecord,
} from './records.js';
export { FilterQuery, filterFields, requestFilterOf } from './request-filter-of.js';
export type { FilterSources } from './request-filter-of.js';
export type { RequestFilter } from './request-filter.js';
export { findPrompt, resolvePrompts } from './resolve-prompts.js';
export {
  findResource,
  findResourceTemplate,
  resolveResources,
  resolveResourceTemplates,
} from './resolve-resources.js';
export type { FoundResource } from './resolve-resources.js';
export { findTool, resolveTools } from './resolve-tools.js';
export { isSafeTool } from './retry-class.js';
export type { QueryFunction } from './row-reading.js';
export { isServed, servedTools } from './served-tools.js';
export type { SnapshotChange } from './snapshot-change.js';
export { SnapshotStore } from './snapshot-store.js';
export type { SnapshotListener, SnapshotStoreOptions } from './snapshot-store.js';
export { buildSnapshot, withAgent } from './snapshot.js';
export type { Snapshot, SnapshotRows } from './snapshot.js';
export { patternUse, toolGroup } from './tool-group.js';
export type { PatternUse } from './tool-group.js';
export { toolVisibility } from './tool-visibility.js';
export type { HiddenBecause } from './tool-visibility.js';
export { attachedToolsets, findToolset, isAttached, rateLimitOf, toolModeOf } from './toolsets.js';
export { visibleInstructions } from './visible-instructions.js';
export type { Instructions } from './visible-instructions.js';

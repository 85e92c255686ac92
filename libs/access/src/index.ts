export {
  anonymousCaller,
  authenticateVirtualKey,
  hashVirtualKey,
  virtualKeyStatus,
} from './authenticate-virtual-key.js';
export type { VirtualKeyVerdict } from './authenticate-virtual-key.js';
export { slugOf } from './caller-grants.js';
export { explainMissing } from './explain-missing.js';
export type { MissingTool } from './explain-missing.js';
export { outwardName, outwardNames } from './outward-name.js';
export { hasIdentity, isAttended, isUnattendedRun } from './available-auth.js';
export type {
  IdentityProviderRecord,
  IntegrationRecord,
  IntegrationStateRecord,
  McpConfig,
  OrganizationRecord,
  PolicyRecord,
  ResolvedTool,
  ToolOverride,
  ToolRecord,
  VirtualKeyRecord,
} from './records.js';
export type { RequestFilter } from './request-filter.js';
export { findTool, resolveTools } from './resolve-tools.js';
export { isSafeTool } from './retry-class.js';
export { isServed } from './served-tools.js';
export type { SnapshotChange } from './snapshot-change.js';
export type { QueryFunction } from './snapshot-rows.js';
export { SnapshotStore } from './snapshot-store.js';
export type { SnapshotListener, SnapshotStoreOptions } from './snapshot-store.js';
export { buildSnapshot } from './snapshot.js';
export type { Snapshot, SnapshotRows } from './snapshot.js';
export { toolVisibility } from './tool-visibility.js';
export type { HiddenBecause } from './tool-visibility.js';

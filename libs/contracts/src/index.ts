export { errorCatalog, ErrorCodeSchema, ErrorInfo, PlatformError, toPlatformError } from './errors.js';
export type { ErrorCode, ErrorRow, PlatformErrorOptions } from './errors.js';
export { errorBody } from './error-body.js';
export type { ErrorBody } from './error-body.js';
export {
  callStates,
  callTransitions,
  CallStateSchema,
  canMove,
  isTerminal,
  terminalCallStates,
} from './call-states.js';
export type { CallState } from './call-states.js';
export { AuthMode, AuthPath, CallerContext, DEFAULT_ORGANIZATION_ID, Lane, laneOf, Role } from './callers.js';
export { callerMetaKey, LOCAL_KIND, LOCAL_TOOLS_COMMAND, LocalCaller, policyMetaKey } from './local-tools.js';
export {
  CredentialState,
  OAuthDiscovery,
  OAuthDiscoveryAnswer,
  OAuthSettings,
  TokenEndpointAuthMethod,
} from './credentials.js';
export {
  BrowserSession,
  BrowserSessionAnswer,
  claimsOfTokens,
  UserRecord,
  UserRecordAnswer,
} from './people.js';
export {
  ApprovalDecision,
  ApprovalDecisionAnswer,
  ApprovalState,
  approvalStates,
  ApprovalTerms,
  ApprovalWish,
  Decider,
  ExecutionMode,
} from './approvals.js';
export { AuditAction, AuditEvent, AuditRecords } from './audit.js';
export {
  CallResume,
  ClientSide,
  errorMetaKey,
  SealedToolCall,
  ToolCall,
  ToolCallEvent,
  ToolCallJob,
  ToolCallOutcome,
  ToolResult,
  UpstreamMethod,
} from './tool-calls.js';
export {
  LeaseAnswer,
  LeaseContent,
  LeaseRequest,
  PublicJwk,
  SecretLeaseAnswer,
  SecretLeaseRequest,
  VaultWrite,
  VaultWriteAnswer,
} from './leases.js';
export {
  CatalogSyncJob,
  CatalogSyncOutcome,
  FailureClass,
  IntegrationState,
  LastFailure,
  StdioAllowlist,
  StdioAllowlistEntry,
  StdioAnswer,
  StdioRequest,
  ToolApproval,
  ToolApprovalAnswer,
  Transport,
  UpstreamDescription,
  UpstreamFailure,
  UpstreamFeatures,
  WirePrompt,
  WireResource,
  WireResourceTemplate,
  WireTool,
} from './upstreams.js';
export {
  AgentDefinition,
  AgentGrant,
  AgentRunJob,
  canRunMove,
  ChatAccess,
  RunInput,
  RunOutput,
  RunRecord,
  runStates,
  RunStateSchema,
  runTransitions,
  terminalRunStates,
} from './runs.js';
export type { RunState } from './runs.js';
export { OverlapRule, ScheduleJob, ScheduleOutcome } from './schedules.js';
export { agentRunQueue, queues, stdioPriority, stdioQueue, toolCallQueue } from './queues.js';
export type { Consumer, EventOf, ParsedPayloadOf, PayloadOf, QueueDefinition, ResultOf } from './queues.js';
export { QuestionAnswer, topics } from './bus.js';
export type { BusTopic, MessageOf } from './bus.js';

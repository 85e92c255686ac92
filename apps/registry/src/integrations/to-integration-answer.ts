import type { IntegrationState } from '@switchyard/contracts';
import type { IntegrationFacts } from './integration-facts.repository.js';
import type { IntegrationEntity } from './integration.entity.js';
import type { IntegrationAnswerBody } from './integration.schemas.js';
import { warningsFor } from './integration-rules.js';
import { usableBy } from './usable-by.js';
import { toApprovalSettings } from '../approval-terms/approval-terms.js';
import { storedMark } from '../vault/secret-value.js';

/** An integration as admins see it: names of secrets, never values. */
export function toIntegrationAnswer(
  row: IntegrationEntity,
  facts: IntegrationFacts | undefined,
): IntegrationAnswerBody {
  const warnings = warningsFor(row);
  return {
    ...identityOf(row),
    ...settingsOf(row),
    ...authOf(row),
    version: row.version,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    callers: usableBy(row, facts),
    state: stateOf(row, facts?.state),
    ...statusOf(facts),
    ...(warnings.length > 0 && { warnings }),
  };
}

/** The registry's own word counts before the catalog has followed. */
export function stateOf(
  { enabled }: Pick<IntegrationEntity, 'enabled'>,
  state: IntegrationState | null | undefined,
): IntegrationState {
  if (!enabled) return 'disabled';
  return !state || state === 'disabled' ? 'connecting' : state;
}

function identityOf(row: IntegrationEntity) {
  const { id, slug, name, kind, scope } = row;
  return { id, organization_id: row.organizationId, slug, name, kind, scope, owner_user_id: row.ownerUserId };
}

function settingsOf(row: IntegrationEntity) {
  return {
    transport: row.transport,
    available_in_chat: row.availableInChat,
    available_to_autonomous: row.availableToAutonomous,
    tools_to_execute: row.toolsToExecute,
    tools_to_skip: row.toolsToSkip,
    tool_overrides: row.toolOverrides,
    deadline_ms: row.deadlineMs,
    max_concurrency: row.maxConcurrency,
    rate_limit: row.rateLimit,
    pinned: row.pinned,
    default_policy: row.defaultPolicy,
    approval_on_gateway: row.approvalOnGateway,
    approval: toApprovalSettings(row.approval),
    sync_interval_seconds: row.syncIntervalSeconds,
    auto_reconnect: row.autoReconnect,
    enabled: row.enabled,
    retention: row.retention,
  };
}

function authOf(row: IntegrationEntity) {
  return {
    auth_mode: row.authMode,
    headers: stored(row.headerNames),
    env: stored(row.envNames),
    user_header_names: row.userHeaderNames,
    oauth: row.oauth,
    client_secret: row.hasClientSecret ? storedMark : null,
    service_user_id: row.serviceUserId,
    service_user_set_by: row.serviceUserSetBy === null ? null : actorOf(row.serviceUserSetBy),
    service_user_set_at: row.serviceUserSetAt?.toISOString() ?? null,
  };
}

function actorOf(setBy: string) {
  const [kind, id] = setBy.split(':');
  return kind === 'user' && id ? ({ kind, id } as const) : ({ kind: 'admin', id: null } as const);
}

// eslint-disable-next-line complexity -- a flat list of fields, each `??` is one that may be absent
function statusOf(facts: IntegrationFacts | undefined) {
  const isKnown = facts?.era || facts?.serverName;
  return {
    tool_count: facts?.toolCount ?? 0,
    last_sync_at: facts?.lastSyncAt?.toISOString() ?? null,
    last_failure: facts?.lastFailure ?? null,
    server: isKnown
      ? {
          name: facts.serverName,
          version: facts.serverVersion,
          era: facts.era,
          protocol_version: facts.protocolVersion,
          capabilities: facts.capabilities,
          instructions: facts.instructions,
          feature_problems: facts.featureProblems ?? [],
        }
      : null,
    breaker: {
      state: facts?.breaker ?? ('closed' as const),
      failures: facts?.failures ?? 0,
      opened_at: facts?.openedAt?.toISOString() ?? null,
      retry_at: facts?.retryAt?.toISOString() ?? null,
    },
  };
}

function stored(names: readonly string[]): Record<string, typeof storedMark> {
  return Object.fromEntries(names.map((name) => [name, storedMark]));
}

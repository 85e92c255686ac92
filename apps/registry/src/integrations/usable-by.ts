import { buildSnapshot, hasIdentity, isAttended } from '@switchyard/access';
import type { IntegrationRecord } from '@switchyard/access';
import type { CallerContext } from '@switchyard/contracts';
import type { IntegrationFacts } from './integration-facts.repository.js';
import type { IntegrationEntity } from './integration.entity.js';
import type { CallersBody } from './integration.schemas.js';

type Facts = Pick<IntegrationFacts, 'state' | 'serviceUserActive' | 'serviceCredential'>;
type Caller = Pick<CallerContext, 'kind' | 'runKind' | 'hasSubjectToken'>;

const callers: Record<keyof CallersBody, Caller> = {
  chat: { kind: 'user', runKind: 'chat', hasSubjectToken: true },
  user_key: { kind: 'user', runKind: 'mcp', hasSubjectToken: false },
  virtual_key: { kind: 'service', runKind: 'mcp', hasSubjectToken: false },
  autonomous: { kind: 'user', runKind: 'schedule', hasSubjectToken: false },
};

/** Which kinds of callers can use the integration, judged by the rule that also makes their lists. */
export function usableBy(row: IntegrationEntity, facts: Facts | undefined): CallersBody {
  const judge = (caller: Caller) => verdictOf(row, facts, contextOf(row, caller));
  return {
    chat: judge(callers.chat),
    user_key: judge(callers.user_key),
    virtual_key: judge(callers.virtual_key),
    autonomous: judge(callers.autonomous),
  };
}

function verdictOf(row: IntegrationEntity, facts: Facts | undefined, caller: CallerContext) {
  const flag = isAttended(caller) ? 'available_in_chat' : 'available_to_autonomous';
  const isAvailable = isAttended(caller) ? row.availableInChat : row.availableToAutonomous;
  if (!row.enabled) return { usable: false, why: 'The integration is disabled.' };
  if (facts?.state === 'disconnected')
    return { usable: false, why: 'The integration is disconnected: see last_failure.' };
  if (!isAvailable) return { usable: false, why: `${flag} is off.` };
  const usable = hasIdentity(snapshotOf(row, facts), recordOf(row, facts), caller);
  return { usable, why: usable ? asWhom(row, caller) : whyNot(row, facts, caller) };
}

function asWhom({ authMode, userHeaderNames }: IntegrationEntity, caller: CallerContext): string {
  const own = 'With the credential of the user, who connects once at /integrations/{id}/connect.';
  switch (authMode) {
    case 'none':
      return 'Without a credential.';
    case 'headers':
      return userHeaderNames.length > 0
        ? 'With the stored values, and the headers that each user brings.'
        : 'With the stored values, the same for everybody.';
    case 'client_credentials':
      return 'With the integration’s own token.';
    case 'authorization_code':
      return isAttended(caller) ? own : 'With the credential of the service user.';
    case 'token_exchange':
      return 'With the user’s token, exchanged for one of the vendor’s.';
  }
}

function whyNot(row: IntegrationEntity, facts: Facts | undefined, caller: CallerContext): string {
  if (row.authMode === 'headers') return 'Each user brings headers of their own, and nobody is present.';
  if (row.authMode === 'token_exchange')
    return isAttended(caller)
      ? 'The user’s token is exchanged, and a virtual key brings none.'
      : 'The user’s token is exchanged, and nobody is present.';
  if (row.serviceUserId === null) return 'Nobody is present, and service_user_id is not set.';
  if (!facts?.serviceUserActive) return 'The service user is deactivated.';
  return facts.serviceCredential === null
    ? 'The service user has not connected yet.'
    : `The service user has to connect again: the credential is ${facts.serviceCredential}.`;
}

function contextOf(row: IntegrationEntity, caller: Caller): CallerContext {
  const userId = caller.kind === 'user' ? row.id : null;
  return { ...caller, orgId: row.organizationId, userId, virtualKeyId: null, roles: [] };
}

function recordOf(row: IntegrationEntity, facts: Facts | undefined): IntegrationRecord {
  const rateLimit = row.rateLimit && { limit: row.rateLimit.limit, intervalMs: row.rateLimit.interval_ms };
  const serviceUserActive = facts?.serviceUserActive ?? false;
  return { ...row, orgId: row.organizationId, toolOverrides: {}, rateLimit, serviceUserActive };
}

/** No more of a snapshot than the rule reads. */
function snapshotOf({ id }: IntegrationEntity, facts: Facts | undefined) {
  const credential = facts?.serviceCredential;
  const serviceCredentials = new Map(credential ? [[id, credential]] : []);
  const none = { organizations: [], integrations: [], virtualKeys: [], identityProviders: [], policies: [] };
  const empty = { inactiveUsers: new Set<string>(), states: new Map(), tools: new Map() };
  return buildSnapshot({ ...none, ...empty, serviceCredentials }, 1);
}

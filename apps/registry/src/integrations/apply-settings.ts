import { ApprovalTerms } from '@switchyard/contracts';
import { v7 as uuidv7 } from 'uuid';
import type { FieldError } from '@switchyard/service-kit';
import { changedTerms } from '../approval-terms/approval-terms.js';
import type { SecretKind, SecretValues } from '../vault/vault.service.js';
import { IntegrationEntity } from './integration.entity.js';
import type { CreateIntegrationBody, UpdateIntegrationBody } from './integration.schemas.js';

const defaults = {
  serviceUserId: null,
  serviceUserSetBy: null,
  serviceUserSetAt: null,
  oauth: null,
  hasClientSecret: false,
  availableInChat: true,
  availableToAutonomous: true,
  toolsToExecute: null,
  toolsToSkip: null,
  toolOverrides: {},
  deadlineMs: null,
  maxConcurrency: null,
  rateLimit: null,
  pinned: false,
  defaultPolicy: null,
  approvalOnGateway: 'host',
  approval: ApprovalTerms.parse({}),
  syncIntervalSeconds: 600,
  autoReconnect: true,
  enabled: true,
  offBySetting: false,
  retention: 'always',
} as const;

/** The row of a new integration. */
export function newIntegration(organizationId: string, body: CreateIntegrationBody): IntegrationEntity {
  const now = new Date();
  const { slug, kind, scope, owner_user_id: ownerUserId } = body;
  const hasHeaders = Object.keys(body.headers ?? {}).length > 0 || Boolean(body.user_header_names?.length);
  const authMode = hasHeaders ? 'headers' : 'none';
  const row = {
    ...defaults,
    id: uuidv7(),
    organizationId,
    slug,
    name: slug,
    kind,
    scope,
    ownerUserId,
    authMode,
    version: 1,
    connectionVersion: 1,
    createdAt: now,
    updatedAt: now,
  } as const;
  const names = { headerNames: [], envNames: [], userHeaderNames: [] };
  return applySettings(Object.assign(new IntegrationEntity(), row, names), body);
}

/** The row with what the body names; the rest stays. What the new form has no place for goes. */
export function applySettings(row: IntegrationEntity, body: UpdateIntegrationBody): IntegrationEntity {
  const next: IntegrationEntity = Object.assign(new IntegrationEntity(), row, defined(columnsOf(row, body)));
  for (const { field, hasNoUse, empty } of places)
    if (!body[field] && hasNoUse(next)) Object.assign(next, empty());
  return next;
}

const isStdio = ({ transport }: IntegrationEntity) => transport.type === 'stdio';
const hasNoHeaders = ({ authMode }: IntegrationEntity) => authMode !== 'headers';

/** Where what was stored goes when it has no use any more. What the body names stays, for the rules to refuse. */
const places: readonly {
  field: keyof UpdateIntegrationBody;
  hasNoUse(next: IntegrationEntity): boolean;
  empty(): Partial<IntegrationEntity>;
}[] = [
  {
    field: 'headers',
    hasNoUse: (next) => isStdio(next) || hasNoHeaders(next),
    empty: () => ({ headerNames: [] }),
  },
  { field: 'env', hasNoUse: (next) => !isStdio(next), empty: () => ({ envNames: [] }) },
  { field: 'user_header_names', hasNoUse: hasNoHeaders, empty: () => ({ userHeaderNames: [] }) },
  { field: 'oauth', hasNoUse: (next) => !usesOAuth(next), empty: () => ({ oauth: null }) },
  { field: 'client_secret', hasNoUse: (next) => !usesOAuth(next), empty: () => ({ hasClientSecret: false }) },
];

/** Whether the integration has dealings with an authorization server. */
export function usesOAuth({ authMode }: Pick<IntegrationEntity, 'authMode'>): boolean {
  return authMode !== 'none' && authMode !== 'headers';
}

/** What the vault has to be told for the change, kind by kind. */
export function vaultPuts(row: IntegrationEntity, next: IntegrationEntity, body: UpdateIntegrationBody) {
  const isGone = {
    headers: row.headerNames.length > next.headerNames.length,
    env: row.envNames.length > next.envNames.length,
    oauth_client: row.hasClientSecret && !next.hasClientSecret,
  };
  const given = { headers: body.headers, env: body.env, oauth_client: clientOf(body) };
  return (['headers', 'env', 'oauth_client'] as const).flatMap(
    (kind): { kind: SecretKind; values: SecretValues }[] => {
      const values = given[kind] ?? (isGone[kind] ? {} : undefined);
      return values ? [{ kind, values }] : [];
    },
  );
}

function clientOf({ client_secret: secret }: UpdateIntegrationBody): SecretValues | undefined {
  return secret ? { client_secret: secret } : undefined;
}

/**
 * Stored values go to the address for which somebody entered them and to no other: whoever may edit the address must
 * not thereby read the values.
 */
export function redirectedSecrets(
  row: IntegrationEntity,
  next: IntegrationEntity,
  body: UpdateIntegrationBody,
): FieldError[] {
  return [...redirectedSecret(row, next, body), ...redirectedValues(row, next, body)];
}

function redirectedValues(
  row: IntegrationEntity,
  next: IntegrationEntity,
  body: UpdateIntegrationBody,
): FieldError[] {
  if (addressOf(row) === addressOf(next)) return [];
  const message = 'the stored values belong to the address before: give them again, or {} to drop them';
  const headers = next.headerNames.length > 0 && !body.headers ? [{ path: 'headers', message }] : [];
  const env = next.envNames.length > 0 && !body.env ? [{ path: 'env', message }] : [];
  return [...headers, ...env];
}

function redirectedSecret(
  row: IntegrationEntity,
  next: IntegrationEntity,
  body: UpdateIntegrationBody,
): FieldError[] {
  const isKept = row.hasClientSecret && next.hasClientSecret && !body.client_secret;
  if (!isKept || clientAddressOf(row) === clientAddressOf(next)) return [];
  const message =
    'the stored secret belongs to the client and server before: give it again, or null to drop it';
  return [{ path: 'client_secret', message }];
}

/** Where the client's secret goes. A server that is not named is the one that the upstream's metadata name. */
function clientAddressOf(row: IntegrationEntity): string {
  const {
    authorization_server: issuer,
    client_id: id,
    token_endpoint,
    revocation_endpoint,
  } = row.oauth ?? {};
  return JSON.stringify([id, issuer ?? addressOf(row), token_endpoint, revocation_endpoint]);
}

function addressOf({ transport }: IntegrationEntity): string {
  return transport.type === 'stdio' ? `stdio ${transport.command}` : new URL(transport.url).origin;
}

function columnsOf({ approval }: IntegrationEntity, body: UpdateIntegrationBody): Partial<IntegrationEntity> {
  return {
    name: body.name,
    transport: body.transport,
    authMode: body.auth_mode,
    headerNames: body.headers && Object.keys(body.headers),
    envNames: body.env && Object.keys(body.env),
    userHeaderNames: body.user_header_names,
    oauth: body.oauth,
    hasClientSecret: body.client_secret === undefined ? undefined : body.client_secret !== null,
    serviceUserId: body.service_user_id,
    availableInChat: body.available_in_chat,
    availableToAutonomous: body.available_to_autonomous,
    toolsToExecute: body.tools_to_execute,
    toolsToSkip: body.tools_to_skip,
    toolOverrides: body.tool_overrides,
    deadlineMs: body.deadline_ms,
    maxConcurrency: body.max_concurrency,
    rateLimit: body.rate_limit,
    pinned: body.pinned,
    defaultPolicy: body.default_policy,
    approvalOnGateway: body.approval_on_gateway,
    approval: changedTerms(approval, body.approval),
    syncIntervalSeconds: body.sync_interval_seconds,
    autoReconnect: body.auto_reconnect,
    enabled: body.enabled,
    retention: body.retention,
  };
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

import { v7 as uuidv7 } from 'uuid';
import type { FieldError } from '@switchyard/service-kit';
import type { SecretKind, SecretValues } from '../vault/vault.service.js';
import { IntegrationEntity } from './integration.entity.js';
import type { CreateIntegrationBody, UpdateIntegrationBody } from './integration.schemas.js';

const defaults = {
  ownerUserId: null,
  serviceUserId: null,
  availableInChat: true,
  availableToAutonomous: true,
  toolsToExecute: null,
  toolsToSkip: null,
  toolOverrides: {},
  deadlineMs: null,
  maxConcurrency: null,
  rateLimit: null,
  syncIntervalSeconds: 600,
  autoReconnect: true,
  enabled: true,
  retention: 'always',
} as const;

/** The row of a new integration. */
export function newIntegration(organizationId: string, body: CreateIntegrationBody): IntegrationEntity {
  const now = new Date();
  const { slug, kind, scope } = body;
  const authMode = Object.keys(body.headers ?? {}).length > 0 ? 'headers' : 'none';
  const row = {
    ...defaults,
    id: uuidv7(),
    organizationId,
    slug,
    name: slug,
    kind,
    scope,
    authMode,
    version: 1,
    createdAt: now,
    updatedAt: now,
  } as const;
  return applySettings(Object.assign(new IntegrationEntity(), row, { headerNames: [], envNames: [] }), body);
}

/** The row with what the body names; the rest stays. Names of secrets that the new form has no place for go. */
export function applySettings(row: IntegrationEntity, body: UpdateIntegrationBody): IntegrationEntity {
  const next: IntegrationEntity = Object.assign(new IntegrationEntity(), row, defined(columnsOf(body)));
  const isStdio = next.transport.type === 'stdio';
  if (!body.headers && (isStdio || next.authMode !== 'headers')) next.headerNames = [];
  if (!body.env && !isStdio) next.envNames = [];
  return next;
}

/** What the vault has to be told for the change, kind by kind. */
export function vaultPuts(row: IntegrationEntity, next: IntegrationEntity, body: UpdateIntegrationBody) {
  const isGone = {
    headers: row.headerNames.length > next.headerNames.length,
    env: row.envNames.length > next.envNames.length,
  };
  return (['headers', 'env'] as const).flatMap((kind): { kind: SecretKind; values: SecretValues }[] => {
    const values = body[kind] ?? (isGone[kind] ? {} : undefined);
    return values ? [{ kind, values }] : [];
  });
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
  if (addressOf(row) === addressOf(next)) return [];
  const message = 'the stored values belong to the address before: give them again, or {} to drop them';
  const headers = next.headerNames.length > 0 && !body.headers ? [{ path: 'headers', message }] : [];
  const env = next.envNames.length > 0 && !body.env ? [{ path: 'env', message }] : [];
  return [...headers, ...env];
}

function addressOf({ transport }: IntegrationEntity): string {
  return transport.type === 'stdio' ? `stdio ${transport.command}` : new URL(transport.url).origin;
}

function columnsOf(body: UpdateIntegrationBody): Partial<IntegrationEntity> {
  return {
    name: body.name,
    transport: body.transport,
    authMode: body.auth_mode,
    headerNames: body.headers && Object.keys(body.headers),
    envNames: body.env && Object.keys(body.env),
    serviceUserId: body.service_user_id,
    availableInChat: body.available_in_chat,
    availableToAutonomous: body.available_to_autonomous,
    toolsToExecute: body.tools_to_execute,
    toolsToSkip: body.tools_to_skip,
    toolOverrides: body.tool_overrides,
    deadlineMs: body.deadline_ms,
    maxConcurrency: body.max_concurrency,
    rateLimit: body.rate_limit,
    syncIntervalSeconds: body.sync_interval_seconds,
    autoReconnect: body.auto_reconnect,
    enabled: body.enabled,
    retention: body.retention,
  };
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

import { AuditAction, AuditEvent, AuthPath, CredentialState, ErrorCodeSchema } from '@switchyard/contracts';
import { z } from 'zod';

/** The token broker's API, which the same document describes: one origin, one document. */
const time = z.iso.datetime();

const Credential = z
  .strictObject({
    id: z.uuid(),
    integration_id: z.uuid(),
    user_id: z.uuid().nullable().describe('Null: the integration’s own.'),
    kind: z.enum(['oauth', 'headers']),
    issuer: z.string().nullable(),
    scopes: z.array(z.string()),
    needed_scopes: z.array(z.string()).describe('Asked for by tools, and not granted.'),
    state: CredentialState,
    reason: z.string().nullable().describe('Why it stopped.'),
    since: time,
    expires_at: time.nullable(),
    renewable: z.boolean(),
    consent_granted_at: time.nullable(),
    consent_granted_by: z.uuid().nullable(),
    last_used_at: time.nullable(),
    last_refreshed_at: time.nullable(),
    created_at: time,
    connect_url: z.url().describe('Where its user connects again.'),
  })
  .meta({ id: 'Credential' });

const AuditRow = z
  .strictObject({
    id: z.uuid(),
    sequence: z.int(),
    at: time,
    action: AuditAction,
    result: AuditEvent.shape.result,
    actor: AuditEvent.shape.actor,
    user_id: z.uuid().nullable(),
    integration_id: z.uuid().nullable(),
    call_id: z.uuid().nullable(),
    auth_path: AuthPath.nullable(),
    code: ErrorCodeSchema.nullable(),
    details: AuditEvent.shape.details,
    hash: z.string(),
  })
  .meta({ id: 'AuditRow' });

const pageOf = (item: z.ZodType) =>
  z.strictObject({ items: z.array(item), next_cursor: z.string().nullable() });
const CredentialPage = pageOf(Credential).meta({ id: 'CredentialPage' });
const AuditPage = pageOf(AuditRow).meta({ id: 'AuditPage' });
const Disconnected = z
  .strictObject({ id: z.uuid(), revoked_at_vendor: z.boolean() })
  .meta({ id: 'Disconnected' });
const Verification = z
  .looseObject({
    status: z.string().describe('`intact`, or what is broken.'),
    first_broken: z.int().optional(),
  })
  .meta({ id: 'AuditVerification' });
const UserHeaders = z.strictObject({ headers: z.record(z.string(), z.string()) }).meta({ id: 'UserHeaders' });

export const tokenBrokerSchemas = {
  ...{ Credential, CredentialPage, Disconnected, UserHeaders },
  ...{ AuditRow, AuditPage, AuditVerification: Verification },
};

const security = [{ adminKey: [] }, { userToken: [] }];
const ref = (name: keyof typeof tokenBrokerSchemas | 'Problem') => ({ $ref: `#/components/schemas/${name}` });
const json = (name: keyof typeof tokenBrokerSchemas) => ({
  content: { 'application/json': { schema: ref(name) } },
});
const ok = (name: keyof typeof tokenBrokerSchemas, description: string) => ({
  '200': { description, ...json(name) },
});
const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});
const refusals = {
  '401': problem('`unauthenticated`, `token_expired`'),
  '403': problem('`forbidden`, `user_inactive`'),
  '503': problem('`dependency_unavailable`'),
};
const inPath = (name: string) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', format: 'uuid' },
});
const inQuery = (name: string) => ({
  name,
  in: 'query',
  required: false,
  schema: { type: name === 'limit' ? 'integer' : 'string' },
});
const credentials = { tags: ['credentials'], security };
const audit = { tags: ['audit'], security };
const auditFilters = [
  ...['action', 'result', 'user_id', 'integration_id', 'call_id', 'actor_id', 'auth_path', 'code'],
  ...['from', 'to', 'chain'],
];

export const tokenBrokerPaths = {
  '/api/credentials': {
    get: {
      ...credentials,
      operationId: 'listCredentials',
      summary: 'List the caller’s credentials; for an admin, all of the organization',
      parameters: ['limit', 'cursor', 'user_id', 'integration_id', 'state'].map(inQuery),
      responses: { ...ok('CredentialPage', 'A page of credentials, without any token.'), ...refusals },
    },
  },
  '/api/credentials/{id}': {
    get: {
      ...credentials,
      operationId: 'readCredential',
      summary: 'Read a credential',
      parameters: [inPath('id')],
      responses: { ...ok('Credential', 'The credential.'), '404': problem('`not_found`'), ...refusals },
    },
    delete: {
      ...credentials,
      operationId: 'disconnectCredential',
      summary: 'Disconnect: revoke at the vendor and forget',
      parameters: [inPath('id')],
      responses: { ...ok('Disconnected', 'Forgotten.'), '404': problem('`not_found`'), ...refusals },
    },
  },
  '/api/credentials/headers/{integrationId}': {
    put: {
      ...credentials,
      operationId: 'putUserHeaders',
      summary: 'Store the user’s own header values for an integration',
      parameters: [inPath('integrationId')],
      requestBody: { required: true, ...json('UserHeaders') },
      responses: {
        ...ok('Credential', 'Stored.'),
        '400': problem('`invalid_request`'),
        '404': problem('`not_found`'),
        '409': problem('`conflict`: the integration takes no headers of users'),
        ...refusals,
      },
    },
  },
  '/api/audit': {
    get: {
      ...audit,
      operationId: 'listAudit',
      summary: 'Read the audit log, newest first; for admins and auditors',
      parameters: ['limit', 'cursor', ...auditFilters].map(inQuery),
      responses: {
        ...ok('AuditPage', 'A page of events.'),
        '400': problem('`invalid_request`'),
        ...refusals,
      },
    },
  },
  '/api/audit/verification': {
    get: {
      ...audit,
      operationId: 'verifyAudit',
      summary: 'Recompute the chain and name the first row that was changed, deleted or moved',
      parameters: [inQuery('chain')],
      responses: { ...ok('AuditVerification', 'What was found.'), ...refusals },
    },
  },
};

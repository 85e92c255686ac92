import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { httpTransport, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let count = 0;
let slug = '';
beforeEach(() => {
  slug = `oauth-${++count}`;
});
afterEach(() => {
  registry().owners.refusal = undefined;
});

const server = 'https://93.184.216.34/issuer';
const client = { client_id: 'ours', authorization_server: server };
const machine = { auth_mode: 'client_credentials', oauth: client, client_secret: 'canary-secret' };
const create = (fields: Record<string, unknown>, key?: string) =>
  registry().post('/api/integrations', { slug, transport: httpTransport, ...fields }, key);
const change = (id: string, body: unknown, key?: string) =>
  registry().patch(`/api/integrations/${id}`, body, key);
const clientOf = (id: string) => registry().owners.stored.get(id)?.oauth_client;
const syncsOf = (id: string) => registry().owners.syncs.filter((job) => job.integrationId === id).length;

describe('the client of an authorization server', () => {
  it('is shown without its secret, which goes to the vault alone', async () => {
    const { status, body } = await create(machine);
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { auth_mode: 'client_credentials', oauth: client, client_secret: '[stored]', version: 1 },
    });
    expect(clientOf(body.id)).toEqual({ client_secret: 'canary-secret' });
    expect(JSON.stringify([body, registry().owners.writes])).not.toContain('canary');
    const read = (await registry().get(`/api/integrations/${body.id}`)).body;
    expect(read).toMatchObject({ oauth: client, client_secret: '[stored]' });
    const { rows } = await asAdmin(registry().database.adminUrl, (connection) =>
      connection.query('SELECT i::text AS row FROM registry.integrations i WHERE id = $1', [body.id]),
    );
    expect(rows[0].row).not.toContain('canary');
  });

  it('is kept by changes of other things, each a version', async () => {
    const { body } = await create(machine);
    expect((await change(body.id, { name: 'New' })).body).toMatchObject({
      client_secret: '[stored]',
      version: 2,
    });
    const scopes = { oauth: { ...client, scopes: ['read', 'write'] } };
    const syncs = syncsOf(body.id);
    expect((await change(body.id, scopes)).body).toMatchObject({ ...scopes, version: 3 });
    expect((await change(body.id, scopes)).body.version).toBe(3);
    expect((await change(body.id, { client_secret: 'canary-2' })).body.version).toBe(4);
    expect(clientOf(body.id)).toEqual({ client_secret: 'canary-2' });
    await eventually(() => syncsOf(body.id) >= syncs + 2);
  });

  it('does not follow the integration to another server or client', async () => {
    const { body } = await create(machine);
    for (const oauth of [
      { ...client, authorization_server: 'https://93.184.216.35/evil' },
      { ...client, token_endpoint: 'https://93.184.216.35/evil' },
      { ...client, client_id: 'another' },
    ]) {
      const answer = await change(body.id, { oauth });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'client_secret' }] } });
      expect((await change(body.id, { oauth, client_secret: '[stored]' })).status).toBe(400);
    }
    expect((await registry().get(`/api/integrations/${body.id}`)).body).toMatchObject({
      oauth: client,
      version: 1,
    });
  });

  it('goes with the mode and with the integration', async () => {
    const { body } = await create(machine);
    const none = { auth_mode: 'none', oauth: null, client_secret: null };
    expect((await change(body.id, { auth_mode: 'none' })).body).toMatchObject(none);
    expect(clientOf(body.id)).toEqual({});
    slug += '-b';
    const { body: other } = await create(machine);
    expect((await registry().send('DELETE', `/api/integrations/${other.id}`)).status).toBe(204);
    expect(registry().owners.stored.has(other.id)).toBe(false);
  });

  it('whose secret the vault refuses leaves no integration behind', async () => {
    registry().owners.refusal = new PlatformError('invalid_request', { message: 'Too large.' }).toInfo();
    expect(await create(machine)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect((await registry().get(`/api/integrations?slug=${slug}`)).body.items).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no client', { auth_mode: 'client_credentials' }, 'oauth.client_id'],
    ['no secret', { auth_mode: 'client_credentials', oauth: client }, 'client_secret'],
    ['the mark of a secret', { ...machine, client_secret: '[stored]' }, 'client_secret'],
    ['nobody to exchange for', { auth_mode: 'token_exchange', oauth: client }, 'oauth.audience'],
    ['OAuth without the mode', { oauth: client }, 'oauth'],
    ['a secret in the settings', { ...machine, oauth: { ...client, client_secret: 'x' } }, 'client_secret'],
    [
      'an unknown method',
      { ...machine, oauth: { ...client, token_endpoint_auth_method: 'jwt' } },
      'token_endpoint',
    ],
    ['a scope of two words', { ...machine, oauth: { ...client, scopes: ['a b'] } }, 'oauth.scopes.0'],
    [
      'a server that is no URL',
      { ...machine, oauth: { authorization_server: 'javascript:x' } },
      'authorization_server',
    ],
    ['a stdio server', { ...machine, transport: { type: 'stdio', command: 'files' } }, 'auth_mode'],
    [
      'a header of users without the mode',
      { auth_mode: 'none', user_header_names: ['A'] },
      'user_header_names',
    ],
    ['a header of users twice', { user_header_names: ['A', 'a'] }, 'user_header_names'],
    ['a header of users that is none', { user_header_names: ['A:'] }, 'user_header_names.0'],
    ['a header of users and all', { headers: { a: 'x' }, user_header_names: ['A'] }, 'user_header_names'],
    ['a header of users that we set', { user_header_names: ['mcp-session-id'] }, 'user_header_names'],
  ])('is refused with %s', async (_what, fields, named) => {
    const { status, body } = await create(fields);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(named);
  });

  it.each([
    'authorization_server',
    'authorization_endpoint',
    'token_endpoint',
    'revocation_endpoint',
    'resource',
  ])('with a private %s is not allowed out', async (field) => {
    const { body } = await create({ auth_mode: 'authorization_code' });
    slug += '-b';
    for (const url of ['https://169.254.169.254/', 'http://93.184.216.34/', 'https://localhost/']) {
      const oauth = { [field]: url };
      const denied = {
        status: 403,
        body: { code: 'egress_denied', detail: expect.stringContaining(`oauth.${field}`) },
      };
      expect(await create({ auth_mode: 'authorization_code', oauth })).toMatchObject(denied);
      expect(await change(body.id, { oauth })).toMatchObject(denied);
    }
  });
});

describe('headers that users bring', () => {
  it('are named, and have no value here', async () => {
    const { status, body } = await create({ user_header_names: ['X-Token'] });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { auth_mode: 'headers', headers: {}, user_header_names: ['X-Token'] },
    });
    expect(body.callers).toMatchObject({ chat: { usable: true }, autonomous: { usable: false } });
    expect((await change(body.id, { user_header_names: [] })).status).toBe(400);
    const both = { headers: { 'X-Team': 'a' }, user_header_names: [] };
    expect((await change(body.id, both)).body.callers.autonomous.usable).toBe(true);
  });
});

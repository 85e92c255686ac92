import { beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import { TokenIssuer } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { httpTransport, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let count = 0;
let slug = '';
beforeEach(() => {
  slug = `robot-${++count}`;
});

const create = (fields: Record<string, unknown>) =>
  registry().post('/api/integrations', { slug, transport: httpTransport, ...fields });
const change = (id: string, body: unknown) => registry().patch(`/api/integrations/${id}`, body);

describe('the service user', () => {
  const consent = { auth_mode: 'authorization_code' };

  it('is an active user of the organization, and who set it is shown', async () => {
    const userId = await registry().user('robot');
    const { body } = await create({ ...consent, service_user_id: userId });
    expect(body).toMatchObject({
      service_user_id: userId,
      service_user_set_by: { kind: 'admin', id: null },
      service_user_set_at: expect.any(String),
    });
    const renamed = await change(body.id, { name: 'New', service_user_id: userId });
    expect(renamed.body.service_user_set_at).toBe(body.service_user_set_at);
    expect((await change(body.id, { service_user_id: null })).body).toMatchObject({
      service_user_id: null,
      service_user_set_by: null,
      service_user_set_at: null,
    });
  });

  it('is off unless it is set', async () => {
    expect((await create(consent)).body).toMatchObject({ service_user_id: null, service_user_set_by: null });
  });

  it('cannot be somebody unknown, inactive or of the neighbours', async () => {
    const { id: neighbour } = await registry().organization(`org-${slug}`);
    const inactive = await registry().user('inactive');
    await registry().patch(`/api/users/${inactive}`, { active: false });
    const { body } = await create(consent);
    slug += '-b';
    for (const service_user_id of [
      inactive,
      await registry().user('theirs', neighbour),
      '00000000-0000-4000-8000-00000000ffff',
    ]) {
      const refused = { status: 400, body: { errors: [{ path: 'service_user_id' }] } };
      expect(await create({ ...consent, service_user_id })).toMatchObject(refused);
      expect(await change(body.id, { service_user_id })).toMatchObject(refused);
    }
  });

  it('does not stay where another mode has no use for them', async () => {
    const service_user_id = await registry().user('robot');
    const { body } = await create({ ...consent, service_user_id });
    const answer = await change(body.id, { auth_mode: 'none' });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'service_user_id' }] } });
    expect((await change(body.id, { auth_mode: 'none', service_user_id: null })).status).toBe(200);
  });

  it('is who unattended callers call as, once they have connected and while they are active', async () => {
    const userId = await registry().user('connected');
    const { body } = await create({ ...consent, service_user_id: userId });
    const autonomous = async () =>
      (await registry().get(`/api/integrations/${body.id}`)).body.callers.autonomous;
    expect(await autonomous()).toEqual({ usable: false, why: expect.stringMatching(/not connected yet/) });
    await putCredential(body.id, userId);
    expect(await autonomous()).toEqual({ usable: true, why: expect.stringMatching(/service user/) });
    const [listed] = (await registry().get(`/api/integrations?slug=${slug}`)).body.items;
    expect(listed.callers.autonomous.usable).toBe(true);
    await registry().patch(`/api/users/${userId}`, { active: false });
    expect(await autonomous()).toEqual({ usable: false, why: expect.stringMatching(/deactivated/) });
  });
});

describe('an admin by their token', () => {
  const open = withRegistry({ allowPrivate: true });
  it('is recorded as who set the service user', async () => {
    const issuer = await TokenIssuer.start();
    await open().trust(issuer);
    const jwt = await issuer.sign({ claims: { roles: ['admin'] } });
    const [admin] = (await open().get('/api/users', jwt)).body.items;
    const { body } = await open().post(
      '/api/integrations',
      { slug, transport: httpTransport, auth_mode: 'authorization_code', service_user_id: admin.id },
      jwt,
    );
    await issuer.close();
    expect(body.service_user_set_by).toEqual({ kind: 'user', id: admin.id });
  });
});

/** What the token broker writes when a user has consented. */
async function putCredential(integrationId: string, userId: string): Promise<void> {
  await asAdmin(registry().database.adminUrl, (connection) =>
    connection.query(
      `INSERT INTO vault.user_external_mcp_credentials (id, organization_id, integration_id, user_id, kind, data_key_id, state)
        SELECT gen_random_uuid(), $1, $2, $3, 'oauth', id, 'active' FROM vault.data_keys LIMIT 1`,
      [DEFAULT_ORGANIZATION_ID, integrationId, userId],
    ),
  );
}

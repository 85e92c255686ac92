import { describe, expect, it } from '@jest/globals';
import { httpTransport, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const create = (fields: Record<string, unknown>) =>
  registry().post('/api/integrations', { slug: 'mail', transport: httpTransport, ...fields });

describe('an integration of one user', () => {
  it('stands beside the organization’s of the same slug, once for each owner', async () => {
    const [ann, ben] = [await registry().user('ann'), await registry().user('ben')];
    expect((await create({})).body).toMatchObject({ scope: 'organization', owner_user_id: null });
    for (const owner_user_id of [ann, ben]) {
      const { status, body } = await create({ scope: 'user', owner_user_id });
      expect([status, body]).toMatchObject([201, { scope: 'user', owner_user_id }]);
    }
    for (const fields of [{}, { scope: 'user', owner_user_id: ann }])
      expect(await create(fields)).toMatchObject({
        status: 409,
        body: { code: 'slug_taken', detail: expect.stringContaining('mail') },
      });
  });

  it('cannot be given to somebody inactive or of the neighbours, nor have a service user', async () => {
    const { id: neighbour } = await registry().organization('neighbours');
    const inactive = await registry().user('inactive');
    await registry().patch(`/api/users/${inactive}`, { active: false });
    const slug = 'own-mail';
    for (const owner_user_id of [inactive, await registry().user('theirs', neighbour)])
      expect(await create({ slug, scope: 'user', owner_user_id })).toMatchObject({
        status: 400,
        body: { errors: [{ path: 'owner_user_id' }] },
      });
    const owner_user_id = await registry().user('carl');
    const robot = { auth_mode: 'authorization_code', service_user_id: owner_user_id };
    expect(await create({ slug, scope: 'user', owner_user_id, ...robot })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'service_user_id' }] },
    });
  });
});

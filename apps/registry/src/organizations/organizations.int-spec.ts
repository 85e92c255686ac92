import { describe, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';
import { operatorKey, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();

describe('organizations', () => {
  it('begin with the operator’s own', async () => {
    const { body } = await registry().get(`/api/organizations/${DEFAULT_ORGANIZATION_ID}`);
    expect(body).toMatchObject({ slug: 'default' });
  });

  it('are made with an admin key that is shown once and works', async () => {
    const { status, body } = await registry().post('/api/organizations', { slug: 'a_corp', name: 'A Corp' });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      slug: 'a-corp',
      name: 'A Corp',
      admin_key: expect.stringMatching(/^ak_[\w-]{43}$/),
    });
    const again = await registry().get(`/api/organizations/${body.id}`, body.admin_key);
    expect(again).toMatchObject({ status: 200, body: { id: body.id } });
    expect(again.body.admin_key).toBeUndefined();
    await eventually(() =>
      registry().owners.changes.some(({ entity, id }) => entity === 'organization' && id === body.id),
    );
  });

  it('have slugs of their own', async () => {
    await registry().organization('twice');
    expect(await registry().post('/api/organizations', { slug: 'twice', name: 'x' })).toMatchObject({
      status: 409,
      body: { code: 'slug_taken' },
    });
  });

  it.each([
    [{ name: 'x' }, 'slug'],
    [{ slug: 'Upper', name: 'x' }, 'slug'],
    [{ slug: 'a--b', name: 'x' }, 'slug'],
    [{ slug: '-a', name: 'x' }, 'slug'],
    [{ slug: 'a'.repeat(49), name: 'x' }, 'slug'],
    [{ slug: 'ok', name: ' ' }, 'name'],
    [{ slug: 'ok', name: 'a\u202eb' }, 'name'],
    [{ slug: 'ok', name: 'x', admin_key: 'mine' }, 'admin_key'],
  ])('refuse %j and name the field', async (given, field) => {
    const { status, body } = await registry().post('/api/organizations', given);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(field);
  });

  it('are paged in the order of their creation', async () => {
    for (const slug of ['page-1', 'page-2', 'page-3']) await registry().organization(slug);
    const seen: string[] = [];
    let path = '/api/organizations?limit=2';
    for (;;) {
      const { body } = await registry().get(path);
      seen.push(...body.items.map((one: { slug: string }) => one.slug));
      if (!body.next_cursor) break;
      path = `/api/organizations?limit=2&cursor=${body.next_cursor}`;
    }
    expect(seen.slice(-3)).toEqual(['page-1', 'page-2', 'page-3']);
    expect(new Set(seen).size).toBe(seen.length);
    expect((await registry().get('/api/organizations?cursor=nonsense')).body.code).toBe('invalid_request');
  });

  it('are managed by the operator alone', async () => {
    const { key, id } = await registry().organization('not-operator');
    expect(await registry().get('/api/organizations', key)).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
    expect((await registry().post('/api/organizations', { slug: 'x', name: 'x' }, key)).status).toBe(403);
    expect((await registry().get(`/api/organizations/${id}`, key)).status).toBe(200);
    expect((await registry().get(`/api/organizations/${DEFAULT_ORGANIZATION_ID}`, key)).status).toBe(404);
  });

  it('limit their users’ calls, by their own admin', async () => {
    const { key, id } = await registry().organization('limited');
    const path = `/api/organizations/${id}`;
    const changes = { name: 'Limited', user_rate_limit: { limit: 9, interval_ms: 60_000 } };
    expect(await registry().patch(path, changes, key)).toMatchObject({ status: 200, body: changes });
    expect((await registry().get(path, key)).body).toMatchObject({ slug: 'limited', ...changes });
    await eventually(() =>
      registry().owners.changes.some(
        (one) => one.entity === 'organization' && one.id === id && one.change === 'updated',
      ),
    );
    expect((await registry().patch(path, { user_rate_limit: null }, key)).body.user_rate_limit).toBeNull();
    for (const refused of [{}, { slug: 'x' }, { user_rate_limit: { limit: 1, interval_ms: 1 } }])
      expect((await registry().patch(path, refused, key)).status).toBe(400);
    expect(
      (await registry().patch(`/api/organizations/${DEFAULT_ORGANIZATION_ID}`, changes, key)).status,
    ).toBe(404);
  });

  it('get a new admin key, and the one before stops at once', async () => {
    const { key, id } = await registry().organization('rotates');
    const { body } = await registry().post(`/api/organizations/${id}/admin-key`, undefined, key);
    expect((await registry().get(`/api/organizations/${id}`, key)).status).toBe(401);
    expect((await registry().get(`/api/organizations/${id}`, body.admin_key)).status).toBe(200);
    expect((await registry().get(`/api/organizations/${id}`, operatorKey)).status).toBe(200);
  });
});

import { beforeAll, describe, expect, it } from '@jest/globals';
import { httpTransport, openModel, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const isPublic = (url: string) => url === '/api/openapi.json';
const unknownId = '00000000-0000-4000-8000-00000000ffff';

/** As the router has them: a route that somebody adds is swept without being named here. */
const routes = () =>
  registry().routes.filter(
    ({ method, url }) => method !== 'HEAD' && method !== 'OPTIONS' && url.startsWith('/api'),
  );
const taking = () => routes().filter(({ url }) => url.includes(':'));
const withIds = (url: string, { id, agentId = id }: { id: string; agentId?: string }) =>
  url.replace(':agentId', agentId).replace(':id', id);

/** Bodies that would be taken if the caller were the right one. */
const bodies: Record<string, unknown> = {
  'POST /api/organizations': { slug: 'swept', name: 'Swept' },
  'POST /api/integrations': { slug: 'swept', transport: httpTransport },
  'PATCH /api/integrations/:id': { name: 'Swept' },
  'POST /api/integrations/discover': { url: 'https://93.184.216.34/mcp' },
  'POST /api/virtual-keys': { name: 'Swept' },
  'PATCH /api/virtual-keys/:id': { name: 'Swept' },
  'POST /api/identity-providers': { issuer: 'https://93.184.216.34', audience: 'swept', client_id: 'swept' },
  'PATCH /api/identity-providers/:id': { name: 'Swept' },
  'PATCH /api/users/:id': { active: false },
  'POST /api/policies': { name: 'Swept' },
  'PATCH /api/policies/:id': { name: 'Swept' },
  'POST /api/policies/preview': {},
  'POST /api/tool-groups': { name: 'Swept' },
  'PATCH /api/tool-groups/:id': { name: 'Swept' },
  'POST /api/toolsets': { slug: 'swept', name: 'Swept' },
  'PATCH /api/toolsets/:id': { name: 'Swept' },
  'PATCH /api/organizations/:id': { name: 'Swept' },
  'POST /api/integrations/:id/tools/approve': { tools: 'all' },
  'POST /api/import': { mcpServers: {} },
  'POST /api/agents': { slug: 'swept', model: openModel },
  'PATCH /api/agents/:id': { name: 'Swept' },
  'POST /api/agents/:agentId/schedules': { name: 'Swept', cron: '0 3 * * *', input: 'x' },
  'PATCH /api/agents/:agentId/schedules/:id': { name: 'Swept' },
  'POST /api/agents/:agentId/webhooks': { name: 'Swept', input: 'x' },
  'PATCH /api/agents/:agentId/webhooks/:id': { name: 'Swept' },
};

describe('every route', () => {
  it('is found by the sweeps', () => {
    expect(routes().length).toBeGreaterThan(68);
    expect(taking().length).toBeGreaterThan(48);
  });

  it.each<[string, Record<string, string>]>([
    ['no credential', {}],
    ['an empty bearer', { authorization: 'Bearer ' }],
    ['garbage', { authorization: 'Bearer garbage' }],
    ['two words', { authorization: 'Bearer operator-key-of-the-tests x' }],
    ['a prefix of the key', { authorization: 'Bearer operator-key-of-the-test' }],
    ['the key in another scheme', { authorization: 'Basic operator-key-of-the-tests' }],
    ['the key without a scheme', { authorization: 'operator-key-of-the-tests' }],
    [
      'the key in a header for virtual keys',
      { 'x-api-key': 'operator-key-of-the-tests', 'x-bf-virtual-key': 'operator-key-of-the-tests' },
    ],
    ['a virtual key', { authorization: `Bearer vk_${'a'.repeat(43)}` }],
    ['a JWT of nobody', { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.' }],
  ])('refuses %s', async (_what, headers) => {
    for (const { method, url } of routes()) {
      const path = withIds(url, { id: unknownId });
      const answer = await registry().send(method, path, {
        key: null,
        headers,
        body: bodies[`${method} ${url}`],
      });
      const got = { method, url, status: answer.status, code: answer.body?.code };
      expect(got).toEqual(
        isPublic(url) ? { ...got, status: 200 } : { method, url, status: 401, code: 'unauthenticated' },
      );
      if (!isPublic(url)) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it('refuses a virtual key that exists', async () => {
    const { body } = await registry().post('/api/virtual-keys', { name: 'real' });
    for (const { method, url } of routes().filter((route) => !isPublic(route.url))) {
      const answer = await registry().send(method, withIds(url, { id: unknownId }), {
        key: body.key,
        body: bodies[`${method} ${url}`],
      });
      expect({ method, url, status: answer.status }).toEqual({ method, url, status: 401 });
    }
  });
});

describe('every route that takes an id', () => {
  let neighbour: { id: string; key: string };
  const ids: Record<string, string> = {};
  let agentId = '';
  const idFor = (url: string) =>
    ids[Object.keys(ids).find((prefix) => url.startsWith(prefix)) ?? ''] ?? `no resource for ${url}`;

  beforeAll(async () => {
    neighbour = await registry().organization('neighbour');
    const victim = await registry().organization('victim');
    const integration = await registry().integration({ slug: 'theirs' }, victim.key);
    const { body: key } = await registry().post('/api/virtual-keys', { name: 'theirs' }, victim.key);
    const { body: provider } = await registry().post(
      '/api/identity-providers',
      { issuer: 'https://93.184.216.34', audience: 'theirs', client_id: 'theirs' },
      victim.key,
    );
    const { body: policy } = await registry().post('/api/policies', { name: 'theirs' }, victim.key);
    const { body: group } = await registry().post('/api/tool-groups', { name: 'theirs' }, victim.key);
    const set = { slug: 'theirs', name: 'theirs' };
    const { body: toolset } = await registry().post('/api/toolsets', set, victim.key);
    const { id } = await registry().agent({ slug: 'theirs' }, victim.key);
    agentId = id;
    const [schedules, webhooks] = [`/api/agents/${id}/schedules`, `/api/agents/${id}/webhooks`];
    const nightly = { name: 'theirs', cron: '0 3 * * *', input: 'x' };
    const { body: schedule } = await registry().post(schedules, nightly, victim.key);
    const { body: webhook } = await registry().post(webhooks, { name: 'theirs', input: 'x' }, victim.key);
    Object.assign(ids, {
      '/api/agents/:agentId/schedules': schedule.id,
      '/api/agents/:agentId/webhooks': webhook.id,
      '/api/agents': id,
      '/api/tool-groups': group.id,
      '/api/toolsets': toolset.id,
      '/api/identity-providers': provider.id,
      '/api/users': await registry().user('theirs', victim.id),
      '/api/policies': policy.id,
      '/api/organizations': victim.id,
      '/api/integrations': integration.id,
      '/api/mcp/client': integration.id,
      '/api/virtual-keys': key.id,
    });
  });

  it('knows nothing of another organization’s', async () => {
    for (const { method, url } of taking()) {
      const answer = await registry().send(method, withIds(url, { id: idFor(url), agentId }), {
        key: neighbour.key,
        body: bodies[`${method} ${url}`],
      });
      expect({ method, url, status: answer.status, code: answer.body?.code }).toEqual({
        method,
        url,
        status: 404,
        code: 'not_found',
      });
    }
    expect((await registry().post('/api/mcp/client/theirs/reconnect', undefined, neighbour.key)).status).toBe(
      404,
    );
  });

  it('answers the same as for what never was', async () => {
    for (const { method, url } of taking()) {
      const ask = (id: string, of = id) =>
        registry().send(method, withIds(url, { id, agentId: of }), {
          key: neighbour.key,
          body: bodies[`${method} ${url}`],
        });
      const [theirs, unknown] = [await ask(idFor(url), agentId), await ask(unknownId)];
      expect({ ...theirs.body, request_id: null }).toEqual({ ...unknown.body, request_id: null });
    }
  });

  it('keeps the operator out of organizations’ resources too', async () => {
    for (const { method, url } of taking().filter((route) => !route.url.startsWith('/api/organizations'))) {
      const answer = await registry().send(method, withIds(url, { id: idFor(url), agentId }), {
        body: bodies[`${method} ${url}`],
      });
      expect({ method, url, status: answer.status }).toEqual({ method, url, status: 404 });
    }
  });
});

describe('lists', () => {
  it('hold one organization’s rows alone', async () => {
    const { key } = await registry().organization('lister');
    await registry().integration({ slug: 'mine' }, key);
    await registry().agent({ slug: 'everybody-elses' });
    const lists = [
      'integrations',
      'virtual-keys',
      'identity-providers',
      'users',
      'policies',
      'toolsets',
      'tool-groups',
      'agents',
    ];
    for (const list of lists) {
      const { body } = await registry().get(`/api/${list}`, key);
      expect(body.items.map((one: { slug?: string }) => one.slug)).toEqual(
        list === 'integrations' ? ['mine'] : [],
      );
    }
  });
});

describe('an unknown route', () => {
  it('is a problem document', async () => {
    const answer = await registry().get('/api/nothing');
    expect(answer).toMatchObject({
      status: 404,
      body: { code: 'not_found', type: 'urn:switchyard:error:not_found' },
    });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });
});

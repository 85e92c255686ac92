import { beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { httpTransport, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let count = 0;
/** A slug that no other test has. */
let slug = '';
beforeEach(() => {
  slug = `one-${++count}`;
});

const create = (fields: Record<string, unknown>) =>
  registry().post('/api/integrations', { slug, transport: httpTransport, ...fields });
const syncsOf = (id: string) =>
  registry()
    .owners.syncs.filter((job) => job.integrationId === id)
    .map((job) => job.reason);
const changesOf = (id: string) =>
  registry()
    .owners.changes.filter((change) => change.id === id)
    .map(({ change }) => change);

describe('a registration', () => {
  it('has the documented shape, is announced, and is synced', async () => {
    const { status, body } = await registry().post('/api/integrations', {
      slug,
      name: 'Notes',
      auth_mode: 'none',
      transport: { type: 'http', url: 'https://93.184.216.34/mcp' },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      slug,
      name: 'Notes',
      kind: 'external_mcp',
      scope: 'organization',
      state: 'connecting',
      tool_count: 0,
      last_failure: null,
      headers: {},
      env: {},
      available_in_chat: true,
      available_to_autonomous: true,
      tools_to_execute: null,
      tools_to_skip: null,
      sync_interval_seconds: 600,
      auto_reconnect: true,
      enabled: true,
      retention: 'always',
      breaker: { state: 'closed', failures: 0 },
    });
    await eventually(() => syncsOf(body.id).includes('connect') && changesOf(body.id).includes('created'));
  });

  it('maps an underscore in the slug, and takes the slug for a name', async () => {
    expect((await registry().integration({ slug: 'web_search' })).slug).toBe('web-search');
    expect((await registry().integration({ slug })).name).toBe(slug);
  });

  it('keeps every setting', async () => {
    const settings = {
      available_in_chat: false,
      available_to_autonomous: false,
      tools_to_execute: [],
      tools_to_skip: ['rm'],
      tool_overrides: { read: { safe: true, enabled: false, deadline_ms: 5_000 } },
      deadline_ms: 86_400_000,
      max_concurrency: 3,
      rate_limit: { limit: 5, interval_ms: 1_000 },
      sync_interval_seconds: 0,
      auto_reconnect: false,
      enabled: false,
      retention: 'never',
    };
    const { id } = await registry().integration({ slug, ...settings });
    expect((await registry().get(`/api/integrations/${id}`)).body).toMatchObject({
      ...settings,
      state: 'disabled',
    });
    expect(syncsOf(id)).toEqual([]);
  });

  it('has a slug of its own in the organization, and another organization has its own', async () => {
    await registry().integration({ slug });
    expect(await create({})).toMatchObject({ status: 409, body: { code: 'slug_taken' } });
    const { key } = await registry().organization(`org-${slug}`);
    expect((await registry().integration({ slug }, key)).slug).toBe(slug);
  });

  it('of one slug twice at once is made once', async () => {
    const both = await Promise.all([create({ headers: { A: 'a' } }), create({ headers: { A: 'b' } })]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no transport', { transport: undefined }, 'transport'],
    ['an unknown transport', { transport: { type: 'ws', url: 'wss://a.example' } }, 'transport'],
    ['an unknown field of a transport', { transport: { ...httpTransport, proxy: 'x' } }, 'proxy'],
    ['an unknown field', { tool_to_execute: [] }, 'tool_to_execute'],
    ['a star beside names', { tools_to_execute: ['*', 'read'] }, 'tools_to_execute'],
    ['a deadline below a second', { deadline_ms: 999 }, 'deadline_ms'],
    ['a deadline above a day', { deadline_ms: 86_400_001 }, 'deadline_ms'],
    ['a rate of nothing', { rate_limit: { limit: 0, interval_ms: 1_000 } }, 'rate_limit.limit'],
    ['no concurrency', { max_concurrency: 0 }, 'max_concurrency'],
    ['an unknown field of an override', { tool_overrides: { a: { safer: true } } }, 'tool_overrides.a'],
    ['a bad slug', { slug: 'no spaces' }, 'slug'],
    ['an integration of nobody', { scope: 'user' }, 'owner_user_id'],
    [
      'an owner who is unknown',
      { scope: 'user', owner_user_id: '00000000-0000-4000-8000-000000000009' },
      'owner_user_id',
    ],
    [
      'a service user without consent',
      { service_user_id: '00000000-0000-4000-8000-000000000009' },
      'service_user_id',
    ],
    ['headers without the mode', { auth_mode: 'none', headers: { A: 'b' } }, 'headers'],
    ['the mark of a stored value', { headers: { A: '[stored]' } }, 'headers.A'],
    ['a name with NUL', { tools_to_skip: ['a\0'] }, 'tools_to_skip.0'],
    ['half a surrogate pair', { tool_overrides: { '\ud800': {} } }, 'tool_overrides'],
  ])('is refused with %s', async (_what, fields, named) => {
    const { status, body } = await create(fields);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(named);
  });

  it.each(['not json', '[]', '"text"', '{"__proto__":{}}', '['.repeat(100_000)])(
    'is refused as %.20s',
    async (body) => {
      expect(await registry().send('POST', '/api/integrations', { body })).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
    },
  );

  it('is refused when it is larger than a mebibyte', async () => {
    const { status, body } = await create({ name: 'x'.repeat(1_100_000) });
    expect({ status, code: body.code }).toEqual({ status: 413, code: 'payload_too_large' });
  });

  it.each([
    'http://127.0.0.1:9001/mcp',
    'https://127.0.0.1/mcp',
    'https://localhost/mcp',
    'https://10.0.0.1/',
    'https://169.254.169.254/latest',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'http://93.184.216.34/',
    'https://user:password@93.184.216.34/',
    'file:///etc/passwd',
    'unix:///var/run/docker.sock',
  ])('of %s is not allowed out', async (url) => {
    for (const type of ['http', 'sse']) {
      expect(await create({ transport: { type, url } })).toMatchObject({
        status: 403,
        body: { code: 'egress_denied' },
      });
    }
  });

  it.each([
    ['a command off the list', { command: '/bin/sh', args: ['-c', 'id'] }],
    ['a relative command', { command: './files' }],
    ['an argument off the pattern', { command: 'files', args: ['--config=/etc/passwd'] }],
    ['an argument in two lines', { command: 'files', args: ['/data/a\n/etc'] }],
  ])('of a stdio server with %s is not allowed', async (_what, transport) => {
    const answer = await create({ transport: { type: 'stdio', ...transport } });
    expect(answer).toMatchObject({ status: 403, body: { code: 'stdio_not_allowed' } });
  });

  it('of a stdio server takes what operators allow, for the organizations that they allow', async () => {
    const transport = { type: 'stdio', command: 'files', args: ['/data/notes'] };
    expect((await create({ transport, env: { FILES_TOKEN: 't' } })).body.env).toEqual({
      FILES_TOKEN: '[stored]',
    });
    const denied = await create({ slug: `${slug}-b`, transport, env: { LD_PRELOAD: '/tmp/evil.so' } });
    expect(denied).toMatchObject({
      status: 403,
      body: { code: 'stdio_not_allowed', detail: expect.stringContaining('LD_PRELOAD') },
    });
    const { key } = await registry().organization(`org-${slug}`);
    const body = { slug, transport: { type: 'stdio', command: 'private' } };
    expect((await registry().post('/api/integrations', body, key)).body.code).toBe('stdio_not_allowed');
    expect((await registry().post('/api/integrations', { ...body, slug: `${slug}-c` })).status).toBe(201);
  });

  it('for all organizations is the operator’s alone', async () => {
    const { key } = await registry().organization(`org-${slug}`);
    const body = { slug, transport: httpTransport, scope: 'global' };
    expect(await registry().post('/api/integrations', body, key)).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
    expect((await registry().post('/api/integrations', body)).body.scope).toBe('global');
  });
});

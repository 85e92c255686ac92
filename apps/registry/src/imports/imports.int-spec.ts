import { afterEach, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const url = 'https://93.184.216.34/mcp';
const send = (body: unknown, query = '') => registry().post(`/api/import${query}`, body);
afterEach(() => {
  registry().owners.refusal = undefined;
});

const outcomes = (body: {
  results: { name: string; slug: string; status: string; error?: { code: string } }[];
}) => body.results.map(({ name, slug, status, error }) => [name, slug, status, error?.code]);

describe('an import', () => {
  it('registers every server that it can, and says of each how it went', async () => {
    await registry().integration({ slug: 'taken' });
    const { status, body } = await send({
      mcpServers: {
        web_search: { url, headers: { Authorization: 'Bearer secret-1' } },
        'Files (local)': {
          command: '/usr/bin/files',
          args: ['--serve', '/data/notes'],
          env: { FILES_TOKEN: 'secret-2' },
          autoApprove: [],
        },
        events: { type: 'sse', url, disabled: true },
        taken: { url },
        Web_Search: { url },
        shell: { command: 'bash', args: ['-c', 'id'] },
        inside: { url: 'http://169.254.169.254/' },
        asks: { url, headers: { Authorization: 'Bearer ${TOKEN}' } },
        empty: {},
      },
    });
    expect(status).toBe(200);
    expect(outcomes(body)).toEqual([
      ['web_search', 'web-search', 'created', undefined],
      ['Files (local)', 'files-local', 'created', undefined],
      ['events', 'events', 'created', undefined],
      ['taken', 'taken', 'skipped', 'slug_taken'],
      ['Web_Search', 'web-search', 'failed', 'conflict'],
      ['shell', 'shell', 'failed', 'stdio_not_allowed'],
      ['inside', 'inside', 'failed', 'egress_denied'],
      ['asks', 'asks', 'failed', 'invalid_request'],
      ['empty', 'empty', 'failed', 'invalid_request'],
    ]);
    expect(registry().owners.stored.get(body.results[0].id)).toEqual({
      headers: { Authorization: 'Bearer secret-1' },
    });
    expect(registry().owners.stored.get(body.results[1].id)).toEqual({ env: { FILES_TOKEN: 'secret-2' } });
    expect(body.results[1].warnings).toEqual(['"autoApprove" is ignored.']);
    expect((await registry().get('/api/integrations?slug=events')).body.items[0]).toMatchObject({
      enabled: false,
      transport: { type: 'sse' },
    });
    expect(JSON.stringify(body)).not.toContain('secret-');
  });

  it('creates nothing in a dry run, asked for either way', async () => {
    const file = { mcpServers: { dry: { url, headers: { A: 'b' } }, inside: { url: 'https://10.0.0.1/' } } };
    for (const { body } of [await send(file, '?dry_run=true'), await send({ ...file, dry_run: true })]) {
      expect(body.dry_run).toBe(true);
      expect(outcomes(body)).toEqual([
        ['dry', 'dry', 'created', undefined],
        ['inside', 'inside', 'failed', 'egress_denied'],
      ]);
    }
    expect((await registry().get('/api/integrations?slug=dry')).body.items).toEqual([]);
  });

  it('goes on after an entry whose values the vault refuses', async () => {
    registry().owners.refusal = new PlatformError('invalid_request').toInfo();
    const { body } = await send({ mcpServers: { refused: { url, headers: { Host: 'x' } }, plain: { url } } });
    expect(outcomes(body).map(([, , status]) => status)).toEqual(['failed', 'created']);
    expect((await registry().get('/api/integrations?slug=refused')).body.items).toEqual([]);
  });

  it('makes the virtual keys of a governance section anew', async () => {
    const virtual_keys = [
      { name: 'team', value: 'vk_old', mcp_configs: [{ mcp_client_name: 'notes', tools_to_execute: ['*'] }] },
      { name: '', mcp_configs: [] },
      'nonsense',
    ];
    const { body } = await send({ governance: { virtual_keys } });
    expect(body.virtual_keys[0]).toMatchObject({
      name: 'team',
      status: 'created',
      key: expect.stringMatching(/^vk_/),
    });
    expect(body.virtual_keys[0].key).not.toBe('vk_old');
    expect(body.virtual_keys[0].warnings[0]).toBe('"value" is ignored.');
    expect(body.virtual_keys.slice(1).map((one: { status: string }) => one.status)).toEqual([
      'failed',
      'failed',
    ]);
    expect((await registry().get(`/api/virtual-keys/${body.virtual_keys[0].id}`)).body.name).toBe('team');
  });

  it.each<[unknown, string]>([
    [{}, 'neither mcpServers nor governance'],
    [{ servers: {} }, 'servers'],
    [{ mcpServers: [] }, 'mcpServers'],
    [{ mcpServers: Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`s${n}`, { url }])) }, '200'],
  ])('refuses %.40j', async (body, named) => {
    const answer = await send(body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body.errors)).toContain(named);
  });

  it('refuses a server that is nested beyond reason', async () => {
    const deep = `{"mcpServers":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
    expect((await registry().send('POST', '/api/import', { body: deep })).status).toBe(400);
  });
});

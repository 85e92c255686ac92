import { beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let count = 0;
let slug = '';
let id = '';
beforeEach(async () => {
  slug = `acts-${++count}`;
  ({ id } = await registry().integration({ slug }));
});

const syncsOf = (reason: string) =>
  registry().owners.syncs.filter((job) => job.integrationId === id && job.reason === reason);

describe('a manual sync', () => {
  it('is queued', async () => {
    expect(await registry().post(`/api/integrations/${id}/sync`)).toMatchObject({
      status: 202,
      body: { integration_id: id, status: 'queued' },
    });
    await eventually(() => syncsOf('manual').length === 1);
  });

  it('can be waited for', async () => {
    const { status, body } = await registry().post(`/api/integrations/${id}/sync?wait=true`);
    expect({ status, body }).toEqual({
      status: 200,
      body: { integration_id: id, status: 'synced', tool_count: 2, changed: true },
    });
  });

  it('tells why it failed', async () => {
    const failure = {
      stage: 'list',
      code: 'upstream_unreachable',
      message: 'refused',
      at: '2026-01-01T00:00:00Z',
      since: '2026-01-01T00:00:00Z',
    } as const;
    registry().owners.outcome = { status: 'failed', failure };
    expect((await registry().post(`/api/integrations/${id}/sync?wait=true`)).body).toMatchObject({
      status: 'failed',
      failure,
    });
    registry().owners.outcome = { status: 'skipped', why: 'syncing already' };
    expect((await registry().post(`/api/integrations/${id}/sync?wait=true`)).body).toMatchObject({
      status: 'skipped',
      why: 'syncing already',
    });
  });

  it('of a disabled integration is refused', async () => {
    await registry().patch(`/api/integrations/${id}`, { enabled: false });
    for (const path of [`/api/integrations/${id}/sync`, `/api/mcp/client/${slug}/reconnect`]) {
      expect(await registry().post(path)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    }
  });

  it('takes no other question', async () => {
    expect((await registry().post(`/api/integrations/${id}/sync?wait=perhaps`)).body.code).toBe(
      'invalid_request',
    );
  });
});

describe('a reconnect', () => {
  it('finds the integration by id, by slug, and by the slug as older configurations write it', async () => {
    for (const name of [id, slug, slug.replace('-', '_')]) {
      const { status, body } = await registry().post(`/api/mcp/client/${name}/reconnect`);
      expect({ status, body }).toEqual({
        status: 202,
        body: { id, slug, state: 'connecting', status: 'queued' },
      });
    }
    await eventually(() => syncsOf('reconnect').length === 3);
  });

  it.each(['unknown', 'UPPER', '%00', 'a%2Fb'])('of %s finds nothing', async (name) => {
    expect((await registry().post(`/api/mcp/client/${name}/reconnect`)).status).toBe(404);
  });
});

describe('a reset of the breaker', () => {
  it('is told to the workers, and answers what the breaker was', async () => {
    await asAdmin(registry().database.adminUrl, (client) =>
      client.query(`INSERT INTO dispatch.breakers (integration_id, state, failures) VALUES ($1, 'open', 5)`, [
        id,
      ]),
    );
    const { status, body } = await registry().post(`/api/integrations/${id}/breaker/reset`);
    expect({ status, state: body.breaker.state }).toEqual({ status: 202, state: 'open' });
    await eventually(() => registry().owners.resets.includes(id));
  });
});

describe('the tools of an integration', () => {
  const wires = [
    {
      name: 'read',
      description: 'Reads.',
      inputSchema: { type: 'object' },
      annotations: { readOnlyHint: true },
    },
    { name: 'a.b', inputSchema: { type: 'object' } },
    { name: 'a_b', inputSchema: { type: 'object' }, title: 'Twin' },
    { name: 'rm', inputSchema: { type: 'object' } },
    { name: 'old', inputSchema: { type: 'object' } },
  ];
  beforeEach(async () => {
    await asAdmin(registry().database.adminUrl, async (client) => {
      await client.query(
        `INSERT INTO catalog.integration_states (integration_id, organization_id, state)
        SELECT id, organization_id, 'connected' FROM registry.integrations WHERE id = $1`,
        [id],
      );
      for (const [index, wire] of wires.entries()) {
        await client.query(
          `INSERT INTO catalog.external_mcp_tools (id, integration_id, organization_id, name, qualified_name, input_schema, wire, wire_sha256, disabled_reason)
            SELECT $2, id, organization_id, $3, $3, '{}', $4, '', $5 FROM registry.integrations WHERE id = $1`,
          [
            id,
            `0190000${index}-0000-7000-8000-${String(count).padStart(12, '0')}`,
            wire.name,
            JSON.stringify(wire),
            wire.name === 'old' ? 'vanished' : null,
          ],
        );
      }
    });
  });

  const list = async (query = '') => (await registry().get(`/api/integrations/${id}/tools${query}`)).body;

  it('are listed with the names that callers use, and why some are hidden', async () => {
    await registry().patch(`/api/integrations/${id}`, {
      tools_to_skip: ['a.b'],
      tool_overrides: { rm: { enabled: false, safe: true, deadline_ms: 9_000 } },
    });
    const { items } = await list();
    const shown = items.map((tool: Record<string, unknown>) => [
      tool.name,
      tool.outward_name,
      tool.enabled,
      tool.hidden_because,
    ]);
    expect(shown).toEqual([
      ['a.b', `${slug}_a_b`, false, 'in_tools_to_skip'],
      ['a_b', expect.stringMatching(new RegExp(`^${slug}_a_b_[0-9a-f]{8}$`)), true, null],
      ['old', `${slug}_old`, false, 'disabled_in_catalog'],
      ['read', `${slug}_read`, true, null],
      ['rm', `${slug}_rm`, false, 'disabled_by_admin'],
    ]);
    expect(items[3]).toMatchObject({ safe: true, description: 'Reads.', override: null, deadline_ms: null });
    expect(items[4]).toMatchObject({
      safe: true,
      deadline_ms: 9_000,
      override: { enabled: false, safe: true, deadline_ms: 9_000 },
    });
    expect(items[2]).toMatchObject({ disabled_reason: 'vanished', title: null });
  });

  it('are paged, and narrowed to what is offered', async () => {
    const first = await list('?limit=3');
    const second = await list(`?limit=3&cursor=${first.next_cursor}`);
    expect([first.items.length, second.items.length, second.next_cursor]).toEqual([3, 2, null]);
    expect((await list('?enabled=false')).items.map((tool: { name: string }) => tool.name)).toEqual(['old']);
    expect((await list('?enabled=true')).items).toHaveLength(4);
  });
});

import { beforeAll, describe, expect, it } from '@jest/globals';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { listTools, wire } from '../../test-fixtures/catalog-rows.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const all = (name: string) => ({ mcp_client_name: name });
const nightly = { name: 'Nightly', cron: '0 3 * * *', input: 'Look.' };
let count = 0;

const agent = (fields: Record<string, unknown>) =>
  registry().agent({ slug: `asks-${++count}`, chat_access: { everyone: true }, ...fields });
const toolsOf = async (id: string, query: string) =>
  (await registry().get(`/api/agents/${id}/tools?${query}`)).body;
const namesOf = (body: { tools: { name: string }[] }) => body.tools.map(({ name }) => name);

/** What the token broker would have written. */
const connected = (integrationId: string, userId: string) =>
  asAdmin(registry().database.adminUrl, async (client) => {
    await client.query(
      `INSERT INTO vault.user_external_mcp_credentials (id, organization_id, integration_id, user_id, state, issuer, token_endpoint,
         server_url, kind) SELECT gen_random_uuid(), organization_id, $1, $2, 'active', 'https://as.example',
         'https://as.example/token', 'https://93.184.216.34/mcp', 'oauth' FROM registry.integrations WHERE id = $1`,
      [integrationId, userId],
    );
    await client.query(`UPDATE broker.version SET version = version + 1`);
  });

/** An integration with tools that catalog-sync has found. */
async function listed(fields: { slug: string } & Record<string, unknown>, tools: string[]) {
  const made = await registry().integration(fields);
  const hints = { annotations: { destructiveHint: true } };
  await listTools(
    registry().database.adminUrl,
    made.id,
    tools.map((name) => ({ wire: wire(name, { description: `Does ${name}.`, ...hints }) })),
  );
  return made;
}

const ids: Record<string, string> = {};
beforeAll(async () => {
  const perUser = { auth_mode: 'authorization_code', default_policy: 'auto_execute' };
  ids['notes'] = (await listed({ slug: 'notes', ...perUser }, ['read', 'write'])).id;
  ids['wiki'] = (await listed({ slug: 'wiki', default_policy: 'auto_execute' }, ['read', 'write'])).id;
  ids['desk'] = (await listed({ slug: 'desk', available_to_autonomous: false }, ['open'])).id;
  const ann = await registry().user('ann');
  ids['own'] = (await listed({ slug: 'own', scope: 'user', owner_user_id: ann }, ['look'])).id;
}, 60_000);

describe('what a schedule loses', () => {
  it('is told by name and reason to who saves it, and to who reads its agent', async () => {
    const grants = ['notes', 'wiki', 'desk', 'own'].map(all);
    const { id } = await agent({ grants, tool_policies: { wiki_write: 'require_approval' } });
    expect((await registry().get(`/api/agents/${id}`)).body.lost_unattended).toEqual([]);
    const { body } = await registry().post(`/api/agents/${id}/schedules`, nightly);
    const lost = [
      { tool: 'desk_open', integration: 'desk', reason: 'not_available_to_autonomous' },
      { tool: 'notes_read', integration: 'notes', reason: 'no_identity' },
      { tool: 'notes_write', integration: 'notes', reason: 'no_identity' },
      { tool: 'own', integration: 'own', reason: 'user_scoped' },
      { tool: 'wiki_write', integration: 'wiki', reason: 'approval_required' },
    ];
    expect(body.lost_unattended).toEqual(lost);
    expect(body.warnings).toEqual([
      expect.stringMatching(/desk_open of "desk": .*available_to_autonomous/),
      expect.stringMatching(/notes_read, notes_write of "notes": .*Set service_user_id/),
      expect.stringMatching(/"own": .*single users/),
      expect.stringMatching(/wiki_write of "wiki": .*need approval.*park/),
    ]);
    const { body: read } = await registry().get(`/api/agents/${id}`);
    expect(read.lost_unattended).toEqual(lost);
    expect(read.warnings).toEqual(body.warnings);
    const hook = { name: 'Hook', input: 'Look at it.' };
    expect((await registry().post(`/api/agents/${id}/webhooks`, hook)).body.lost_unattended).toEqual(lost);
  });

  it('is nothing of an integration with a service user who has connected', async () => {
    const bob = await registry().user('bob');
    const made = await listed({ slug: 'served', auth_mode: 'authorization_code', service_user_id: bob }, [
      'read',
    ]);
    const { id } = await agent({ grants: [all('served')], default_policy: 'auto_execute' });
    const { body } = await registry().post(`/api/agents/${id}/schedules`, nightly);
    expect(body.warnings).toEqual([expect.stringContaining('its service user has no credential that lives')]);
    await connected(made.id, bob);
    expect((await registry().get(`/api/agents/${id}/schedules/${body.id}`)).body).toMatchObject({
      lost_unattended: [],
    });
    expect(namesOf(await toolsOf(id, 'context=schedule'))).toEqual(['served_read']);
  });

  it('is not what waits for approval, where the run may be parked', async () => {
    const grants = [all('wiki')];
    const { id } = await agent({ grants, default_policy: 'require_approval', unattended_approval: 'park' });
    await registry().patch(`/api/integrations/${ids['wiki']}`, { tool_overrides: {} });
    const { body } = await registry().post(`/api/agents/${id}/schedules`, nightly);
    expect(body.lost_unattended).toEqual([]);
    expect(await toolsOf(id, 'context=webhook')).toMatchObject({
      tools: [{ name: 'wiki_read', execution: 'require_approval' }, { name: 'wiki_write' }],
    });
  });
});

describe('what else is warned of', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a client that is not there', { grants: [all('nowhere')] }, /no integration "nowhere"/],
    [
      'a tool that is not there',
      { grants: [{ mcp_client_name: 'wiki', tools_to_execute: ['rm'] }] },
      /"wiki" has no tool "rm"/,
    ],
    [
      'a policy for a tool that the agent has not',
      { grants: [all('wiki')], tool_policies: { notes_read: 'auto_execute' } },
      /tool_policies names "notes_read"/,
    ],
    ['grants of nothing', { grants: [{ mcp_client_name: 'wiki', tools_to_execute: [] }] }, /has no tools/],
    ['a model without a key', { model: { provider: 'anthropic', model: 'x' } }, /no model_key/],
  ])('%s', async (_what, fields, warning) => {
    expect((await agent(fields)).warnings).toContainEqual(expect.stringMatching(warning));
  });

  it('an integration to which no user has connected yet, whose tools nobody knows', async () => {
    await registry().integration({ slug: 'untouched', auth_mode: 'headers', user_header_names: ['X-Key'] });
    expect((await agent({ grants: [all('untouched')] })).warnings).toContainEqual(
      expect.stringMatching(/^"untouched" is not connected/),
    );
  });

  it('nothing of an agent that is well', async () => {
    const grants = [all('wiki')];
    const well = await agent({
      grants,
      tool_policies: { wiki_read: 'auto_execute', wiki_write: 'auto_execute' },
    });
    expect(well.warnings).toBeUndefined();
  });

  it('an agent that is switched off, of its schedule', async () => {
    const { id } = await agent({ grants: [all('wiki')], is_active: false });
    const { body } = await registry().post(`/api/agents/${id}/schedules`, nightly);
    expect(body.warnings).toEqual([expect.stringContaining('switched off')]);
  });
});

describe('the tools of a run', () => {
  it('are those that its context has, with how their calls run, and what is left out and why', async () => {
    const grants = ['notes', 'wiki', 'desk', 'nowhere'].map(all);
    const { id } = await agent({ grants, tool_policies: { wiki_write: 'require_approval' } });
    const chat = await toolsOf(id, 'context=chat');
    expect(chat).toMatchObject({ context: 'chat', user_id: null, may_chat: null });
    const ofTool = ({ name, execution, execution_decided_by: by }: any) => [name, execution, by];
    expect(chat.tools.map(ofTool)).toEqual([
      ['desk_open', 'require_approval', 'platform_default'],
      ['notes_read', 'auto_execute', 'integration_default'],
      ['notes_write', 'auto_execute', 'integration_default'],
      ['wiki_read', 'auto_execute', 'integration_default'],
      ['wiki_write', 'require_approval', 'agent_tool'],
    ]);
    expect(chat.tools[3]).toMatchObject({
      ...{ integration: 'wiki', integration_id: ids['wiki'], description: 'Does read.' },
      ...{ annotations: { destructiveHint: true }, safe: false, deadline_ms: 30_000 },
    });
    expect(chat.left_out).toEqual([
      { name: 'nowhere', integration: 'nowhere', reason: 'unknown_integration' },
    ]);
    const unattended = await toolsOf(id, 'context=webhook');
    expect(namesOf(unattended)).toEqual(['wiki_read']);
    expect(unattended.left_out).toContainEqual({
      ...{ name: 'wiki_write', integration: 'wiki', reason: 'approval_required' },
    });
  });

  it('are a user’s own, with what is denied to them', async () => {
    const [ann, eve] = [await registry().user('ann'), await registry().user('eve')];
    const access = { everyone: false, user_ids: [ann] };
    const { id } = await agent({ grants: [all('own'), all('wiki')], chat_access: access });
    const denial = {
      ...{ name: 'No writing', effect: 'deny' },
      mcp_configs: [{ mcp_client_name: 'wiki', tools_to_execute: ['write'] }],
    };
    const { body: policy } = await registry().post('/api/policies', denial);
    const hers = await toolsOf(id, `context=chat&user_id=${ann}`);
    expect([hers.may_chat, namesOf(hers)]).toEqual([true, ['own_look', 'wiki_read']]);
    expect(hers.left_out).toEqual([{ name: 'wiki_write', integration: 'wiki', reason: 'denied_by_policy' }]);
    expect(await toolsOf(id, `context=chat&user_id=${eve}`)).toMatchObject({
      ...{ may_chat: false, tools: [], left_out: [] },
    });
    await registry().send('DELETE', `/api/policies/${policy.id}`);
  });

  it('are asked of a context that there is, for a user of the organization', async () => {
    const { id } = await agent({});
    const neighbour = await registry().organization('not-asked');
    const theirs = await registry().user('theirs', neighbour.id);
    const ann = await registry().user('ann');
    const wrong = ['context=mcp', `context=chat&user_id=${theirs}`, `context=schedule&user_id=${ann}`];
    for (const query of wrong)
      expect((await registry().get(`/api/agents/${id}/tools?${query}`)).status).toBe(400);
    const foreign = await registry().get(`/api/agents/${id}/tools?context=chat`, neighbour.key);
    expect(foreign).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

import { describe, expect, it } from '@jest/globals';
import { listTools, wire } from '../../test-fixtures/catalog-rows.js';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const terms = { approver_roles: ['ops'], approver_user_ids: [], self_approval: false, expires_s: 120 };
const published = (id: string) =>
  asAdmin(registry().database.adminUrl, async (client) => {
    const sql = `SELECT default_policy, approval_on_gateway, approval, tool_overrides FROM registry.v_integrations WHERE id = $1`;
    return (await client.query(sql, [id])).rows[0];
  });
const executions = async (id: string) => {
  const { body } = await registry().get(`/api/integrations/${id}/tools`);
  return body.items.map(({ name, execution }: any) => [name, execution]);
};

describe('the execution policy of an integration', () => {
  it('is the host’s to ask and nobody’s word, unless it says more', async () => {
    expect(await registry().integration({ slug: 'plain' })).toMatchObject({
      ...{ default_policy: null, approval_on_gateway: 'host' },
      approval: { approver_roles: [], approver_user_ids: [], self_approval: true, expires_s: 86_400 },
    });
  });

  it('is set, shown, published, and changed in a new version', async () => {
    const ann = await registry().user('ann');
    const approval = { ...terms, approver_user_ids: [ann] };
    const fields = { default_policy: 'auto_execute', approval_on_gateway: 'platform', approval };
    const overrides = { tool_overrides: { rm: { policy: 'require_approval' } } };
    const made = await registry().integration({ slug: 'guarded', ...fields, ...overrides });
    expect(made).toMatchObject({ ...fields, ...overrides });
    expect(await published(made.id)).toMatchObject({
      ...{ default_policy: 'auto_execute', approval_on_gateway: 'platform', ...overrides },
      approval: { approverRoles: ['ops'], approverUserIds: [ann], selfApproval: false, expiresMs: 120_000 },
    });
    const { body } = await registry().patch(`/api/integrations/${made.id}`, {
      approval: { expires_s: 600 },
      default_policy: null,
    });
    // What is left out is not loosened.
    expect(body).toMatchObject({
      version: made.version + 1,
      default_policy: null,
      approval: { ...approval, expires_s: 600 },
    });
    expect(body.approval_on_gateway).toBe('platform');
  });

  it('shows of each tool how calls from outside of agents run', async () => {
    const { id } = await registry().integration({ slug: 'shows', default_policy: 'require_approval' });
    await listTools(registry().database.adminUrl, id, [{ wire: wire('read') }, { wire: wire('rm') }]);
    expect(await executions(id)).toEqual([
      ['read', 'auto_execute'],
      ['rm', 'auto_execute'],
    ]);
    const overrides = { read: { policy: 'auto_execute' } };
    await registry().patch(`/api/integrations/${id}`, {
      approval_on_gateway: 'platform',
      tool_overrides: overrides,
    });
    expect(await executions(id)).toEqual([
      ['read', 'auto_execute'],
      ['rm', 'require_approval'],
    ]);
    const { body } = await registry().get(`/api/integrations/${id}/tools`);
    expect(body.items[0].override).toEqual({ policy: 'auto_execute' });
  });

  it('names approvers of its own organization alone', async () => {
    const { id: orgId } = await registry().organization('approves-nothing');
    const approval = { approver_user_ids: [await registry().user('theirs', orgId)] };
    const { id } = await registry().integration({ slug: 'ours' });
    const transport = { type: 'http', url: 'https://93.184.216.34/mcp' };
    const answers = [
      await registry().post('/api/integrations', { slug: 'not-made', transport, approval }),
      await registry().patch(`/api/integrations/${id}`, { approval }),
    ];
    for (const answer of answers)
      expect(answer).toMatchObject({
        ...{ status: 400, body: { errors: [{ path: 'approval.approver_user_ids.0' }] } },
      });
  });

  it.each([
    { default_policy: 'ask' },
    { approval_on_gateway: 'nobody' },
    { approval: { expires_s: 1 } },
    { approval: { expiresMs: 60_000 } },
    { tool_overrides: { rm: { policy: 'ask' } } },
  ])('is refused with %j', async (fields) => {
    const transport = { type: 'http', url: 'https://93.184.216.34/mcp' };
    const { status } = await registry().post('/api/integrations', { slug: 'refused', transport, ...fields });
    expect(status).toBe(400);
  });
});

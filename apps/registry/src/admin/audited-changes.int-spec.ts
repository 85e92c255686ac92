import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();

describe('what an admin changes', () => {
  const changesOf = (orgId: string) =>
    registry().owners.audited.filter((event) => event.orgId === orgId && event.action === 'settings_changed');

  it('is told to the audit log of their organization by route and row, and without any value', async () => {
    const { id: orgId, key } = await registry().organization('audited');
    const made = await registry().integration(
      { slug: 'secretive', auth_mode: 'headers', headers: { authorization: 'Bearer canary-value' } },
      key,
    );
    await registry().patch(`/api/integrations/${made.id}`, { name: 'Other' }, key);
    const { body } = await registry().post('/api/virtual-keys', { name: 'canary-name' }, key);
    await registry().send('DELETE', `/api/integrations/${made.id}`, { key });
    await eventually(() => changesOf(orgId).length === 4);
    const told = changesOf(orgId).map(({ integrationId, details }) => [
      details['route'],
      details['id'],
      integrationId,
    ]);
    expect(told).toEqual([
      ['POST /api/integrations', made.id, made.id],
      ['PATCH /api/integrations/:id', made.id, made.id],
      ['POST /api/virtual-keys', body.id, null],
      ['DELETE /api/integrations/:id', made.id, made.id],
    ]);
    expect(changesOf(orgId)).toEqual(
      changesOf(orgId).map(() =>
        expect.objectContaining({ result: 'ok', actor: { kind: 'admin', id: null } }),
      ),
    );
    expect(JSON.stringify(changesOf(orgId))).not.toMatch(/canary|vk_/);
  });

  it('is told of an agent, and of its webhooks by their own ids', async () => {
    const { id: orgId, key } = await registry().organization('audited-agents');
    const agent = await registry().agent({ slug: 'told', model_key: 'canary-key' }, key);
    const its = `/api/agents/${agent.id}/webhooks`;
    const { body: webhook } = await registry().post(its, { name: 'x', input: 'canary-input' }, key);
    await registry().post(`${its}/${webhook.id}/rotate-secret`, undefined, key);
    await eventually(() => changesOf(orgId).length === 3);
    expect(changesOf(orgId).map(({ details }) => [details['route'], details['id']])).toEqual([
      ['POST /api/agents', agent.id],
      ['POST /api/agents/:agentId/webhooks', webhook.id],
      ['POST /api/agents/:agentId/webhooks/:id/rotate-secret', webhook.id],
    ]);
    expect(JSON.stringify(changesOf(orgId))).not.toMatch(/canary|whsec_/);
  });

  it('is not told of looks, nor of what was refused', async () => {
    const { id: orgId, key } = await registry().organization('looking');
    await registry().get('/api/integrations', key);
    await registry().post('/api/policies/preview', { claims: {}, roles: [] }, key);
    expect((await registry().post('/api/virtual-keys', { name: '' }, key)).status).toBe(400);
    await registry().post('/api/virtual-keys', { name: 'told' }, key);
    await eventually(() => changesOf(orgId).length > 0);
    expect(changesOf(orgId).map(({ details }) => details['route'])).toEqual(['POST /api/virtual-keys']);
  });
});

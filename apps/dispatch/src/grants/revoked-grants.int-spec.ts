import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID, type ToolCallJob, topics, type WireTool } from '@switchyard/contracts';
import {
  eventually,
  onBothQueueBackends,
  startFixtureUpstream,
  type FixtureUpstream,
} from '@switchyard/testing';
import { DispatchHarness } from '../dispatch-harness-spec.js';

const orgId = DEFAULT_ORGANIZATION_ID;
const refused = { status: 'failed', error: { code: 'unauthenticated' } };

onBothQueueBackends('a call of an OAuth client', (backend) => {
  let harness: DispatchHarness;
  let upstream: FixtureUpstream;
  let up: string;
  const userId = randomUUID();

  beforeAll(async () => {
    harness = await DispatchHarness.open(backend);
    upstream = await startFixtureUpstream();
    const tools = upstream.tools().map(({ wire }) => wire as WireTool);
    up = await harness.insertIntegration('up', { type: 'http', url: upstream.url }, tools);
    const configs = JSON.stringify([{ mcp_client_name: 'up', tools_to_execute: ['*'] }]);
    await harness.sql.query(
      `INSERT INTO registry.policies (id, organization_id, name, matchers, mcp_configs) VALUES ($1, $2, 'all', '[]', $3)`,
      [randomUUID(), orgId, configs],
    );
  }, 120_000);
  afterAll(async () => {
    await harness?.close();
    await upstream?.close();
  });

  it('is refused if its grant was revoked before this worker began, and runs if it was not', async () => {
    const [revoked, live] = [await addGrant(), await addGrant()];
    await revoke(revoked);
    await harness.startWorker();
    expect(await harness.send(call(revoked, 'echo'))).toMatchObject(refused);
    const unsafe = call(revoked, 'count-side-effect', { id: 'never' });
    expect(await harness.send(unsafe)).toMatchObject(refused);
    expect(await harness.ended(unsafe.sealed.call.callId)).toMatchObject({ status: 'failed', attempts: 0 });
    expect(await harness.send(call(live, 'echo'))).toMatchObject({ status: 'completed' });
  });

  it('is refused as soon as the bus tells that its grant was revoked', async () => {
    const grantId = await addGrant();
    await harness.queue.publish(topics.grantRevoked, { orgId, grantId });
    await eventually(async () => (await harness.send(call(grantId, 'echo'))).status === 'failed');
  });

  it('is aborted while it runs and is safe, though the bus has lost the news, and runs on if it is not', async () => {
    const grantId = await addGrant();
    const safe = harness.send(call(grantId, 'safe-read', { ms: 15_000, id: 'aborted' }));
    const unsafe = harness.send(call(grantId, 'count-side-effect', { ms: 3_000, id: 'aborted' }));
    await eventually(
      () => upstream.calls.filter(({ arguments: args }) => args['id'] === 'aborted').length === 2,
    );
    await revoke(grantId);
    expect(await safe).toMatchObject({ status: 'cancelled', error: { details: { reason: 'revoked' } } });
    expect(await unsafe).toMatchObject({ status: 'completed' });
  });

  function call(grantId: string, tool: string, args = {}): ToolCallJob {
    const caller = { kind: 'user', userId, virtualKeyId: null, oauthGrantId: grantId } as const;
    return harness.job(up, `up_${tool}`, args, { caller });
  }

  /** As the gateway writes it. */
  async function addGrant(): Promise<string> {
    const id = randomUUID();
    await harness.sql.query(
      `INSERT INTO gateway.oauth_grants (id, interaction_hash, organization_id, user_id, identity_provider_id, client_id,
         redirect_uri, resource, claims_ciphertext, expires_at)
       VALUES ($1::uuid, $1::text::bytea, $2, $3, $1, 'c', 'x', 'x', '', now() + interval '1 day')`,
      [id, orgId, userId],
    );
    return id;
  }

  async function revoke(id: string): Promise<void> {
    await harness.sql.query('UPDATE gateway.oauth_grants SET revoked_at = now() WHERE id = $1', [id]);
  }
});

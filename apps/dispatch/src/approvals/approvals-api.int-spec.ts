import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID, type LeaseRequest, queues, type ToolCallJob } from '@switchyard/contracts';
import { eventually, onBothQueueBackends } from '@switchyard/testing';
import { ApprovalsBench, operatorKey } from './approvals-harness-spec.js';

const tool = 'up_count-side-effect';

onBothQueueBackends('/api/approvals', (backend) => {
  let bench: ApprovalsBench;
  const leases: LeaseRequest[] = [];
  beforeAll(async () => {
    bench = await ApprovalsBench.open(backend);
    await bench.addIntegration('other', { auth_mode: 'authorization_code' });
    await bench.addOrganization('elsewhere', 'key-of-elsewhere');
    bench.harness.queue.consume(
      queues.tokenLeases,
      async (request) => {
        leases.push(request);
        return {
          ...{ status: 'refused' as const, authPath: 'needs_reauth' as const },
          error: { code: 'needs_reauth' as const, message: 'Connect.', details: { reauth_url: 'http://x' } },
        };
      },
      { concurrency: 4 },
    );
    await bench.startWorker();
  }, 120_000);
  afterAll(() => bench?.close());

  const path = (job: ToolCallJob) => `/api/approvals/${job.sealed.call.callId}`;
  const outcome = ({ status, body }: { status: number; body: Record<string, unknown> }) => ({
    status,
    ...(body['code'] !== undefined && { code: body['code'] }),
    ...(body['state'] !== undefined && { state: body['state'] }),
  });

  describe('deciding', () => {
    it('shows what would run, with whose words tell of the risk, and runs it under the one who asked', async () => {
      const caller = await bench.callerOf('asker');
      const job = await bench.ask(tool, { args: { id: 'shown' }, caller });
      const approver = await bench.tokenOf('boss', ['admin']);
      const { status, body } = await bench.send('GET', path(job), approver);
      const { callId, argumentsSha256 } = job.sealed.call;
      expect(status).toBe(200);
      expect(body).toMatchObject({
        ...{ id: callId, state: 'pending', tool, tool_name: 'count-side-effect', may_decide: true },
        integration: { id: bench.integrationId, slug: 'up', name: 'up' },
        ...{ arguments: { id: 'shown' }, arguments_sha256: argumentsSha256 },
        risk: {
          destructive: true,
          read_only: false,
          idempotent: false,
          open_world: true,
          source: 'claims of the vendor',
        },
        ...{
          asked_by: { user_id: caller.userId, virtual_key_id: null },
          agent: null,
          run_id: null,
          run_kind: 'mcp',
        },
        ...{ decided_by: null, reason: null, call: { id: callId, status: 'awaiting_approval' } },
      });
      const approved = await bench.approve(job, approver, { arguments_sha256: argumentsSha256 });
      expect(approved).toMatchObject({
        status: 200,
        body: { state: 'approved', decided_by: { kind: 'user', user_id: bench.users.get('boss') } },
      });
      expect(await bench.ended(job)).toMatchObject({ status: 'completed', user_id: caller.userId });
      expect(bench.timesRun('shown')).toBe(1);
    });

    it('leases for the one who asked, and for nobody else', async () => {
      const caller = await bench.callerOf('owner-of-data');
      const integrationId = (
        await bench.harness.sql.query(`SELECT id FROM registry.integrations WHERE slug = 'other'`)
      )[0];
      const job = await bench.ask('other_count-side-effect', {
        ...{ args: { id: 'leased' }, caller, integrationId: String(integrationId?.['id']) },
      });
      await bench.approve(job, operatorKey);
      expect(await bench.ended(job)).toMatchObject({ status: 'failed', error_code: 'needs_reauth' });
      expect(leases.map(({ caller: who }) => who?.userId)).toEqual([caller.userId]);
    });

    it('takes no decision about other arguments than those that are there', async () => {
      const job = await bench.ask(tool, { args: { id: 'other-arguments' } });
      const other = createHash('sha256').update('{"id":"harmless"}').digest('hex');
      expect(outcome(await bench.approve(job, operatorKey, { arguments_sha256: other }))).toEqual({
        ...{ status: 409, code: 'conflict' },
      });
      expect(await bench.standing(job)).toMatchObject({ state: 'pending' });
      expect(outcome(await bench.approve(job, operatorKey, { arguments_sha256: 'x' }))).toMatchObject({
        status: 400,
      });
    });

    it('lets the asker decide only where the terms say so, an admin or not', async () => {
      const caller = await bench.callerOf('self');
      const free = await bench.ask(tool, { args: { id: 'self-1' }, caller });
      const why = { reason: 'As discussed.' };
      expect((await bench.approve(free, await bench.tokenOf('self'), why)).body).toMatchObject({
        ...{ state: 'approved', ...why },
      });
      const bound = await bench.ask(tool, { args: { id: 'self-2' }, caller, terms: { selfApproval: false } });
      for (const roles of [[], ['admin'], ['ops']])
        expect(outcome(await bench.approve(bound, await bench.tokenOf('self', roles)))).toEqual({
          ...{ status: 403, code: 'forbidden' },
        });
      expect((await bench.send('GET', path(bound), await bench.tokenOf('self'))).body).toMatchObject({
        may_decide: false,
      });
      expect(outcome(await bench.deny(bound, operatorKey, { reason: 'no' }))).toMatchObject({
        state: 'denied',
      });
      expect(bench.timesRun('self-2')).toBe(0);
    });

    it('is for those whom the terms name, by id or by role, and hides the call from all other users', async () => {
      const terms = { approverUserIds: [await bench.userId('named')], approverRoles: ['ops'] };
      const ask = (id: string) => bench.ask(tool, { args: { id }, terms });
      expect(outcome(await bench.approve(await ask('n1'), await bench.tokenOf('named')))).toMatchObject({
        status: 200,
      });
      expect(outcome(await bench.approve(await ask('n2'), await bench.tokenOf('x', ['ops'])))).toMatchObject({
        status: 200,
      });
      const job = await ask('n3');
      const stranger = await bench.tokenOf('stranger', ['devs']);
      for (const answer of [
        await bench.approve(job, stranger),
        await bench.deny(job, stranger),
        await bench.send('GET', path(job), stranger),
      ])
        expect(outcome(answer)).toEqual({ status: 404, code: 'not_found' });
      const auditor = await bench.tokenOf('auditor', ['auditor']);
      expect(outcome(await bench.send('GET', path(job), auditor))).toMatchObject({ status: 200 });
      expect(outcome(await bench.approve(job, auditor))).toEqual({ status: 403, code: 'forbidden' });
      expect(await bench.standing(job)).toMatchObject({ state: 'pending' });
    });

    it('is refused for what has been decided, has expired, or is no approval', async () => {
      const job = await bench.ask(tool, { args: { id: 'twice' } });
      await bench.approve(job, operatorKey);
      expect(outcome(await bench.approve(job, operatorKey))).toMatchObject({ status: 409, code: 'conflict' });
      const late = await bench.ask(tool, { expiresMs: 100 });
      await bench.ended(late);
      expect(outcome(await bench.deny(late, operatorKey))).toMatchObject({
        status: 403,
        code: 'approval_expired',
      });
      for (const id of [randomUUID(), 'nonsense'])
        expect(outcome(await bench.send('POST', `/api/approvals/${id}/approve`, operatorKey))).toMatchObject({
          status: 404,
        });
    });

    it('of another organization finds nothing, with its admin key or its users', async () => {
      const job = await bench.ask(tool, { args: { id: 'theirs' } });
      for (const credential of ['key-of-elsewhere', await bench.tokenOf('eve', ['admin'], 'elsewhere')]) {
        for (const answer of [
          await bench.approve(job, credential),
          await bench.deny(job, credential),
          await bench.send('GET', path(job), credential),
        ])
          expect(outcome(answer)).toEqual({ status: 404, code: 'not_found' });
        expect((await bench.send('GET', '/api/approvals', credential)).body).toEqual({
          items: [],
          next_cursor: null,
        });
      }
      expect(await bench.standing(job)).toMatchObject({ state: 'pending' });
    });

    it('is for nobody without a credential, and who tried is audited', async () => {
      const job = await bench.ask(tool, {});
      const routes = [
        ['GET', '/api/approvals'],
        ['GET', path(job)],
        ['POST', `${path(job)}/approve`],
        ['POST', `${path(job)}/deny`],
      ] as const;
      for (const credential of [null, 'ak_guess', `vk_${'x'.repeat(32)}`, 'a.b.c'])
        for (const [method, route] of routes)
          expect(outcome(await bench.send(method, route, credential))).toMatchObject({ status: 401 });
      expect(await bench.standing(job)).toMatchObject({ state: 'pending' });
      await eventually(() =>
        bench.audited.some(
          ({ action, details }) =>
            action === 'caller_refused' && details['route'] === 'POST /api/approvals/:id/approve',
        ),
      );
    });
  });

  describe('the audit log', () => {
    it('hears who asked, who decided and what, from the rows themselves', async () => {
      const caller = await bench.callerOf('audited-asker');
      const job = await bench.ask(tool, { args: { id: 'audited' }, caller, terms: { selfApproval: false } });
      await bench.approve(job, await bench.tokenOf('audited-asker'));
      await bench.deny(job, await bench.tokenOf('boss', ['admin']), { reason: 'Too many.' });
      const events = await bench.auditOf(job, 3);
      const facts = {
        ...{ orgId: DEFAULT_ORGANIZATION_ID, userId: caller.userId, integrationId: bench.integrationId },
        details: expect.objectContaining({ tool, arguments_sha256: job.sealed.call.argumentsSha256 }),
      };
      expect(events).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            ...facts,
            action: 'approval_requested',
            actor: { kind: 'user', id: caller.userId },
          }),
          expect.objectContaining({ ...facts, action: 'approval_refused', code: 'forbidden' }),
          expect.objectContaining({
            action: 'approval_denied',
            actor: { kind: 'user', id: bench.users.get('boss') },
          }),
        ]),
      );
      const denied = events.find(({ action }) => action === 'approval_denied');
      expect(denied?.details).toMatchObject({ approved: false, reason: 'Too many.' });
      expect(JSON.stringify(events)).not.toContain('"audited"');
    });

    it('hears of what nobody decided too', async () => {
      const job = await bench.ask(tool, { expiresMs: 100 });
      const events = await bench.auditOf(job, 2);
      expect(events.map(({ action, code }) => [action, code])).toEqual([
        ['approval_requested', null],
        ['approval_refused', 'approval_expired'],
      ]);
    });
  });

  describe('the list', () => {
    it('is filtered and paged, the latest first', async () => {
      const runId = randomUUID();
      const caller = await bench.callerOf('lister');
      const jobs: ToolCallJob[] = [];
      for (const id of ['l1', 'l2', 'l3']) jobs.push(await bench.ask(tool, { args: { id }, caller, runId }));
      await bench.deny(jobs[0]!, operatorKey);
      const ids = jobs.map(({ sealed }) => sealed.call.callId).reverse();
      const list = async (query: string, credential = operatorKey) => {
        const { body } = await bench.send('GET', `/api/approvals?${query}`, credential);
        return { ids: body.items?.map(({ id }) => id), next: body['next_cursor'] as string | null };
      };
      expect(await list(`run_id=${runId}`)).toEqual({ ids, next: null });
      const first = await list(`run_id=${runId}&limit=2`);
      expect(first.ids).toEqual(ids.slice(0, 2));
      expect(await list(`run_id=${runId}&limit=2&cursor=${first.next}`)).toEqual({
        ids: ids.slice(2),
        next: null,
      });
      expect((await list(`run_id=${runId}&state=pending`)).ids).toEqual(ids.slice(0, 2));
      expect(
        (await list(`run_id=${runId}&tool=${tool}&integration=up&asked_by=${caller.userId}`)).ids,
      ).toEqual(ids);
      expect((await list(`run_id=${runId}&integration=${bench.integrationId}`)).ids).toEqual(ids);
      expect((await list(`run_id=${runId}&tool=up_echo`)).ids).toEqual([]);
      expect((await list(`agent_id=${randomUUID()}`)).ids).toEqual([]);
      expect(outcome(await bench.send('GET', '/api/approvals?state=x', operatorKey))).toMatchObject({
        status: 400,
      });
      for (const query of ['cursor=x', 'tool=a%00b', 'integration=%00'])
        expect(outcome(await bench.send('GET', `/api/approvals?${query}`, operatorKey))).toEqual({
          ...{ status: 400, code: 'invalid_request' },
        });
    });

    it('shows users what they asked for and what they may decide, and by `mine` only the latter', async () => {
      const runId = randomUUID();
      const me = await bench.callerOf('me');
      const ask = async (more: object) => (await bench.ask(tool, { runId, ...more })).sealed.call.callId;
      const own = await ask({ caller: me });
      const bound = await ask({ caller: me, terms: { selfApproval: false, approverRoles: ['ops'] } });
      const named = await ask({ terms: { approverUserIds: [me.userId] } });
      const byRole = await ask({ terms: { approverRoles: ['ops'] } });
      const others = await ask({});
      const seen = async (credential: string, query = '') => {
        const { body } = await bench.send('GET', `/api/approvals?run_id=${runId}${query}`, credential);
        return new Set(body.items?.map(({ id }) => id));
      };
      const token = await bench.tokenOf('me', ['ops']);
      expect(await seen(token)).toEqual(new Set([own, bound, named, byRole]));
      expect(await seen(token, '&mine=true')).toEqual(new Set([own, named, byRole]));
      expect(await seen(await bench.tokenOf('me'))).toEqual(new Set([own, bound, named]));
      const all = new Set([own, bound, named, byRole, others]);
      expect(await seen(await bench.tokenOf('au', ['auditor']))).toEqual(all);
      expect(await seen(await bench.tokenOf('au', ['auditor']), '&mine=true')).toEqual(new Set());
      expect(await seen(operatorKey, '&mine=true')).toEqual(all);
      expect(await seen(await bench.tokenOf('me', ['admin']), '&mine=true')).toEqual(
        new Set([own, named, byRole, others]),
      );
    });

    it('finds its page by an index among many', async () => {
      await bench.harness.sql.query(
        `WITH calls AS (INSERT INTO dispatch.tool_calls (call_id, org_id, integration_id, tool, outward_name, status, lane, run_kind,
             caller_kind, ledger_first, arguments_sha256, accepted_at, ended_at, deadline_at)
           SELECT gen_random_uuid(), $1, $2, 't', 'up_t', 'denied', 'interactive', 'mcp', 'service', true, 'x', now(), now(), now()
           FROM generate_series(1, 20000) RETURNING call_id)
         INSERT INTO dispatch.approvals (call_id, org_id, state, audited_state, integration_id, integration_slug, tool, outward_name,
           arguments_sha256, policy_version, principal, run_kind, terms, deadline_ms, expires_at)
         SELECT call_id, $1, 'denied', 'denied', $2, 'up', 't', 'up_t', 'x', 'x', 'service', 'mcp',
           '{"approverRoles":[],"approverUserIds":[],"selfApproval":true,"expiresMs":60000}', 1, now() FROM calls`,
        [DEFAULT_ORGANIZATION_ID, bench.integrationId],
      );
      await bench.harness.sql.query('ANALYZE dispatch.approvals');
      await bench.harness.sql.query('ANALYZE dispatch.tool_calls');
      const plans = await bench.harness.sql.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN SELECT a.call_id FROM dispatch.approvals a JOIN dispatch.tool_calls c USING (call_id)
         WHERE a.org_id = '${DEFAULT_ORGANIZATION_ID}' AND a.state = 'pending' ORDER BY a.call_id DESC LIMIT 51`,
      );
      const text = plans.map((line) => line['QUERY PLAN']).join('\n');
      expect(text).toMatch(/approvals_by_state/);
      expect(text).not.toMatch(/Seq Scan/);
    });
  });
});

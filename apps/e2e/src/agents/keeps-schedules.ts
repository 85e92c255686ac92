import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import type { Agent, Schedule } from '../harness/agents-api.js';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import type { AgentsUnderTest } from './agents-under-test.js';
import { approve, beginWaiting, effectTurns, lookAt, type WaitingCall } from './waiting-calls.js';

const effect = 'count-side-effect';
/** A time that is older is missed, and is what a catch-up rule speaks of. */
const missedAfterMs = 60_000;
const minute = 60;
const hour = 3_600;

/** What happens at its time, or does not, though nobody was there. Comes last: it ends and starts everything. */
export function keepsSchedules({ switchyard, agents, script, chatAs }: AgentsUnderTest): void {
  describe('schedules', () => {
    const undo = undoAfterAll();
    let agent: Agent;
    let fixture: ConnectedFixture;
    const every = (interval_s: number, name: string, startsInMs: number, fields: object = {}) => {
      const starts_at = new Date(Date.now() + startsInMs).toISOString();
      return agents().schedule(agent, { name, interval_s, starts_at, input: 'Look.', ...fields });
    };
    const runsOf = ({ id }: Schedule) => agents().runs({ schedule_id: id });
    const first = ({ starts_at }: Schedule) => Date.parse(starts_at ?? '');
    const endedRuns = (schedule: Schedule, count: number) =>
      eventually(
        async () => {
          const runs = await runsOf(schedule);
          expect(runs.map(({ state }) => state)).toEqual(Array(count).fill('completed'));
          return runs;
        },
        { intervalMs: 200 },
      );

    beforeAll(async () => {
      script([
        ...effectTurns(`late_${effect}`),
        { times: 'any', when: { last_user: 'Look.' }, answer: { text: 'Looked.' } },
      ]);
      fixture = await connectFixture(switchyard(), 'late', undo);
      const policy = { tool_policies: { [`late_${effect}`]: 'require_approval' } };
      agent = await agents().make('on-time', { late: [effect] }, policy);
    });

    it('run each time once, though two runners are there; now when they are told to; not while they are paused', async () => {
      const names = Array.from({ length: 8 }, (_, n) => `many ${n}`);
      const many = await Promise.all(names.map((name) => every(hour, name, 4_000)));
      const paused = await every(hour, 'paused', 4_000);
      const path = `/api/agents/${agent.id}/schedules/${paused.id}`;
      expect(await agents().admin.must('POST', `${path}/pause`)).toMatchObject({
        ...{ is_paused: true, next_run_at: null },
      });
      const now = await agents().untilEnded(await agents().runNow(paused));
      expect(now).toMatchObject({ state: 'completed', kind: 'schedule', scheduled_for: null });
      const press = () =>
        agents().admin.send('POST', `${path}/run`, undefined, { 'idempotency-key': 'pressed-twice' });
      const [pressed, ...twins] = await Promise.all([press(), press(), press()]);
      expect(pressed).toMatchObject({ status: 202, body: { run_ids: [expect.any(String)] } });
      expect(twins.map(({ body }) => body)).toEqual([pressed?.body, pressed?.body]);
      await agents().untilEnded((pressed?.body['run_ids'] as [string])[0]);
      expect((await press()).body).toEqual(pressed?.body);
      for (const schedule of many) {
        const [run] = await endedRuns(schedule, 1);
        expect(run?.scheduled_for).toBe(new Date(first(schedule)).toISOString());
      }
      const resumed = await agents().admin.must<Schedule>('POST', `${path}/resume`);
      expect(Date.parse(resumed.next_run_at ?? '')).toBeGreaterThan(Date.now());
      expect(await runsOf(paused)).toHaveLength(2);
    });

    it('and approvals outlive the death of everything: what was missed is made up for once, by the rule', async () => {
      const bob = await chatAs('bob');
      const short = { approval: { expires_s: minute } };
      const gated = { default_policy: 'require_approval', ...short };
      const hasty = await agents().make('hasty', { late: [effect] }, gated);
      const expiring = await beginWaiting(bob, hasty.slug, 'expired');
      const patient = await beginWaiting(bob, agent.slug, 'approved-after-all');
      const never = await every(hour, 'never made up for', 6_000, { catch_up: 'none' });
      const last = await every(hour, 'made up for', 6_000, { catch_up: 'last' });
      await switchyard().killEverything();
      expect(Date.now()).toBeLessThan(first(never));
      const missedAt = first(last) + missedAfterMs;
      await eventually(() => Date.now() > missedAt, { timeoutMs: 90_000, intervalMs: 500 });
      await switchyard().startAgain();

      const [run] = await endedRuns(last, 1);
      expect(run?.scheduled_for).toBe(new Date(first(last)).toISOString());
      expect(Date.parse(run?.started_at ?? '')).toBeGreaterThan(missedAt);
      expect(await runsOf(never)).toEqual([]);
      await decideAfterwards({ expiring, patient });
      expect(await runsOf(last)).toHaveLength(1);
      expect(await runsOf(never)).toEqual([]);
    }, 180_000);

    async function decideAfterwards({ expiring, patient }: Record<'expiring' | 'patient', WaitingCall>) {
      const alice = await chatAs('alice');
      expect(await approve(alice, expiring)).toMatchObject({
        ...{ status: 403, body: { code: 'approval_expired' } },
      });
      expect(await agents().untilEnded(expiring.runId)).toMatchObject({
        ...{ state: 'completed', calls: [{ status: 'expired' }] },
        output: { text: expect.stringContaining('approval_expired') },
      });
      expect(await lookAt(alice, patient)).toMatchObject({ body: { state: 'pending' } });
      expect((await approve(alice, patient)).status).toBe(200);
      expect(await agents().untilEnded(patient.runId)).toMatchObject({
        ...{ state: 'completed', calls: [{ status: 'completed' }] },
      });
      expect(fixture.upstream.callsOf(effect).map((call) => call.arguments['id'])).toEqual([
        'approved-after-all',
      ]);
    }
  });
}

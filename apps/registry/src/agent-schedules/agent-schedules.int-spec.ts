import { beforeAll, describe, expect, it } from '@jest/globals';
import { ScheduleRule } from '@switchyard/schedules';
import { encodeCursor } from '@switchyard/service-kit';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let path = '';
let agentId = '';
const nightly = { name: 'Nightly', cron: '30 2 * * *', time_zone: 'Europe/Berlin', input: 'Sum up the day.' };
const create = (fields: Record<string, unknown> = {}) => registry().post(path, { ...nightly, ...fields });
const at = (id: string) => `${path}/${id}`;

/** As agent-runner reads it. */
const published = (id: string) =>
  asAdmin(registry().database.adminUrl, async (client) => {
    const { rows } = await client.query(`SELECT * FROM registry.v_schedules WHERE id = $1`, [id]);
    return rows[0];
  });

beforeAll(async () => {
  agentId = (await registry().agent({ slug: 'sleeper' })).id;
  path = `/api/agents/${agentId}/schedules`;
});

describe('a schedule', () => {
  it('runs by cron in a time zone, skips what overlaps and makes up for the last time, unless it says more', async () => {
    const { status, body } = await create();
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        ...{ ...nightly, agent_id: agentId, interval_s: null, starts_at: null },
        ...{ overlap: 'skip', catch_up: 'last', is_paused: false, version: 1, lost_unattended: [] },
        next_run_at: expect.stringMatching(/T0[01]:30:00.000Z$/),
      },
    });
    const { warnings: _warnings, lost_unattended: _lost, ...listed } = body;
    expect((await registry().get(at(body.id))).body).toEqual(body);
    expect((await registry().get(path)).body.items).toContainEqual(listed);
    const row = await published(body.id);
    expect(row).toMatchObject({ agent_id: agentId, input: nightly.input, overlap: 'skip', catch_up: 'last' });
    expect(ScheduleRule.parse(row.rule)).toMatchObject({ cron: '30 2 * * *', time_zone: 'Europe/Berlin' });
  });

  it('runs at intervals', async () => {
    const starts_at = '2030-01-01T00:00:00+02:00';
    const fields = { cron: undefined, time_zone: undefined, interval_s: 900, starts_at };
    const { body } = await create(fields);
    expect(body).toMatchObject({ cron: null, time_zone: null, interval_s: 900, starts_at });
    expect(body.next_run_at).toBe('2029-12-31T22:00:00.000Z');
  });

  it('at intervals begins one interval from now, where it says nothing of its start', async () => {
    for (let n = 0; n < 30; n++) {
      const { body } = await create({ cron: undefined, time_zone: undefined, interval_s: 3_600 });
      expect(body.starts_at).toBe(body.active_since);
      expect(Date.parse(body.next_run_at) - Date.parse(body.starts_at)).toBe(3_600_000);
    }
  });

  it('begins anew with another rule and after a pause, and with nothing else', async () => {
    const { body } = await create();
    const { body: renamed } = await registry().patch(at(body.id), {
      name: 'Other',
      overlap: 'queue',
      catch_up: 'all',
    });
    expect(renamed).toMatchObject({ name: 'Other', overlap: 'queue', catch_up: 'all', version: 2 });
    expect(renamed.active_since).toBe(body.active_since);
    const { body: ruled } = await registry().patch(at(body.id), { time_zone: 'UTC' });
    expect(ruled).toMatchObject({ cron: nightly.cron, time_zone: 'UTC', version: 3 });
    expect(ruled.active_since > body.active_since).toBe(true);
    const { body: paused } = await registry().post(`${at(body.id)}/pause`);
    expect(paused).toMatchObject({ is_paused: true, next_run_at: null, active_since: ruled.active_since });
    const { body: resumed } = await registry().post(`${at(body.id)}/resume`);
    expect(resumed).toMatchObject({ is_paused: false, next_run_at: expect.any(String) });
    expect(resumed.active_since > ruled.active_since).toBe(true);
    expect((await registry().post(`${at(body.id)}/resume`)).body).toEqual(resumed);
  });

  it('misses nothing while its agent is switched off', async () => {
    const { id } = await registry().agent({ slug: 'rests' });
    const { body } = await registry().post(`/api/agents/${id}/schedules`, nightly);
    await registry().patch(`/api/agents/${id}`, { is_active: false });
    const { body: off } = await registry().get(`/api/agents/${id}/schedules/${body.id}`);
    expect([body.next_run_at, off.next_run_at]).toEqual([expect.any(String), null]);
    await registry().patch(`/api/agents/${id}`, { is_active: true });
    const { body: after } = await registry().get(`/api/agents/${id}/schedules/${body.id}`);
    expect(after.active_since > body.active_since).toBe(true);
  });

  it('is told of to its runner, also where it goes with its agent', async () => {
    const { id } = await registry().agent({ slug: 'leaves' });
    const its = `/api/agents/${id}/schedules`;
    const [{ body: one }, { body: two }] = [
      await registry().post(its, nightly),
      await registry().post(its, nightly),
    ];
    await registry().patch(`${its}/${one.id}`, { is_paused: true });
    expect((await registry().send('DELETE', `${its}/${one.id}`)).status).toBe(204);
    expect((await registry().send('DELETE', `${its}/${one.id}`)).status).toBe(404);
    await registry().send('DELETE', `/api/agents/${id}`);
    expect(await published(two.id)).toBeUndefined();
    const told = () => registry().owners.changes.filter(({ entity }) => entity === 'schedule');
    const of = (schedule: string) =>
      told()
        .filter((one) => one.id === schedule)
        .map(({ change }) => change);
    await eventually(() => of(two.id).length === 2);
    expect([of(one.id), of(two.id)]).toEqual([
      ['created', 'updated', 'deleted'],
      ['created', 'deleted'],
    ]);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ cron: undefined, time_zone: undefined }, 'cron'],
    [{ interval_s: 60 }, 'interval_s'],
    [{ cron: '* * * *' }, 'cron'],
    [{ cron: '0 0 30 2 4#5' }, 'no time within the next 8 years'],
    [{ time_zone: 'Mars' }, 'time_zone'],
    [{ input: '' }, 'input'],
    [{ input: 'é'.repeat(32_769) }, 'input'],
    [{ overlap: 'both' }, 'overlap'],
    [{ catch_up: 'some' }, 'catch_up'],
    [{ agent_id: '00000000-0000-4000-8000-00000000ffff' }, 'agent_id'],
  ])('is refused with %j', async (fields, named) => {
    const { status, body } = await create(fields);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(named);
  });

  it('is of one agent, of one organization', async () => {
    const { body } = await create();
    const other = await registry().agent({ slug: 'neighbour-agent' });
    const { key } = await registry().organization('has-no-schedules');
    for (const [where, as] of [[`/api/agents/${other.id}/schedules`], [path, key]] as const) {
      const one = `${where}/${body.id}`;
      const answers = [
        await registry().get(one, as),
        await registry().get(`${one}/times`, as),
        await registry().send('PATCH', one, { body: { name: 'x' }, key: as }),
        await registry().send('DELETE', one, { key: as }),
        ...(await Promise.all(
          ['run', 'pause', 'resume'].map((act) => registry().post(`${one}/${act}`, undefined, as)),
        )),
      ];
      for (const answer of answers)
        expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    for (const answer of [await registry().get(path, key), await registry().post(path, nightly, key)])
      expect(answer.status).toBe(404);
    expect(registry().owners.firings).toEqual([]);
  });
});

describe('schedules, as many as there may be', () => {
  /** Stored without asking, by cron that was good once. */
  const fill = (orgId: string, agent: string, count: number) =>
    asAdmin(registry().database.adminUrl, (client) =>
      client.query(
        `INSERT INTO registry.agent_schedules (id, organization_id, agent_id, name, rule, input, overlap, catch_up)
         SELECT gen_random_uuid(), $1, $2, 'one of many', $3, 'go', 'skip', 'last' FROM generate_series(1, $4)`,
        [orgId, agent, { type: 'cron', cron: '0 0 30 2 4#5', time_zone: 'UTC' }, count],
      ),
    );

  it('are a hundred of one agent, also where many ask at once', async () => {
    const agent = await registry().agent({ slug: 'busy' });
    await fill(agent.organization_id, agent.id, 96);
    const its = `/api/agents/${agent.id}/schedules`;
    const answers = await Promise.all(Array.from({ length: 12 }, () => registry().post(its, nightly)));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(8);
    for (const answer of refused)
      expect(answer).toMatchObject({
        status: 409,
        body: { code: 'conflict', detail: expect.stringContaining('An agent has at most 100 schedules') },
      });
    const { items } = (await registry().get(`${its}?limit=200`)).body;
    expect(items.filter(({ next_run_at: next }: { next_run_at: string | null }) => next)).toHaveLength(4);
    await registry().send('DELETE', `${its}/${items[0].id}`);
    expect((await registry().post(its, nightly)).status).toBe(201);
  });

  it('are a thousand of one organization, whichever agents they are of', async () => {
    const { id: orgId, key } = await registry().organization('has-many-schedules');
    const agent = (slug: string) => registry().agent({ slug }, key);
    const [one, other] = [await agent('first-of-many'), await agent('second-of-many')];
    await fill(orgId, one.id, 999);
    const its = `/api/agents/${other.id}/schedules`;
    expect((await registry().post(its, nightly, key)).status).toBe(201);
    expect(await registry().post(its, nightly, key)).toMatchObject({
      ...{
        status: 409,
        body: {
          code: 'conflict',
          detail: expect.stringContaining('An organization has at most 1000 schedules'),
        },
      },
    });
    expect((await create()).status).toBe(201);
  });

  it('that are stored with no time in sight can be changed otherwise', async () => {
    const agent = await registry().agent({ slug: 'far-away' });
    await fill(agent.organization_id, agent.id, 1);
    const its = `/api/agents/${agent.id}/schedules`;
    const [far] = (await registry().get(its)).body.items;
    expect(await registry().patch(`${its}/${far.id}`, { name: 'Later' })).toMatchObject({
      status: 200,
      body: { name: 'Later', next_run_at: null, active_since: far.active_since },
    });
  });
});

describe('the times of a schedule', () => {
  const ranAs = '00000000-0000-4000-8000-00000000bbbb';
  const day = (n: number) => `2026-03-0${n}T02:30:00.000Z`;

  /** As agent-runner records them. */
  const record = (scheduleId: string, orgId: string, times: readonly [string, string, string | null][]) =>
    asAdmin(registry().database.adminUrl, async (client) => {
      for (const [dueAt, outcome, why] of times)
        await client.query(
          `INSERT INTO runs.schedule_times (schedule_id, due_at, org_id, outcome, why, run_id) VALUES ($1, $2, $3, $4, $5, $6)`,
          [scheduleId, dueAt, orgId, outcome, why, why === null ? ranAs : null],
        );
    });

  it('tell which ran, and which were skipped and why, the latest first and page by page', async () => {
    const { body } = await create();
    const times = `${at(body.id)}/times`;
    expect((await registry().get(times)).body).toEqual({ items: [], next_cursor: null });
    await record(body.id, body.organization_id, [
      [day(1), 'started', null],
      [day(2), 'skipped', 'missed'],
      [day(3), 'skipped', 'overlap'],
    ]);
    await record(body.id, '00000000-0000-4000-8000-00000000eeee', [[day(4), 'started', null]]);
    const first = await registry().get(`${times}?limit=2`);
    expect(first.body.items).toEqual([
      { due_at: day(3), outcome: 'skipped', reason: 'overlap', run_id: null, decided_at: expect.any(String) },
      { due_at: day(2), outcome: 'skipped', reason: 'missed', run_id: null, decided_at: expect.any(String) },
    ]);
    const next = await registry().get(`${times}?limit=2&cursor=${first.body.next_cursor}`);
    expect(next.body).toMatchObject({ items: [{ due_at: day(1), run_id: ranAs }], next_cursor: null });
    const ran = await registry().get(`${times}?outcome=started`);
    expect(ran.body.items).toEqual(next.body.items);
  });

  it.each(['outcome=late', 'cursor=x', 'state=started'])('are refused by ?%s', async (query) => {
    const { body } = await create();
    expect((await registry().get(`${at(body.id)}/times?${query}`)).status).toBe(400);
  });

  it.each(['0000-01-01T00:00:00Z', '0000-12-31T23:59:59.999Z', '9999-12-31T23:59:59-15:59'])(
    'are refused by a cursor of %s, which the database does not know',
    async (position) => {
      const { body } = await create();
      const cursor = encodeCursor(position);
      expect(await registry().get(`${at(body.id)}/times?cursor=${cursor}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request', errors: [{ path: 'cursor' }] },
      });
    },
  );
});

describe('running a schedule now', () => {
  it('begins what agent-runner says, paused or not', async () => {
    const { owners } = registry();
    const { body } = await create({ is_paused: true });
    const runIds = ['00000000-0000-4000-8000-00000000aaaa'];
    owners.firing = { status: 'started', runIds };
    expect(await registry().post(`${at(body.id)}/run`)).toMatchObject({
      status: 202,
      body: { run_ids: runIds },
    });
    expect(owners.firings.at(-1)).toEqual({
      ...{ v: 1, orgId: body.organization_id, scheduleId: body.id, reason: 'now' },
    });
  });

  it('says who asked under which key, unreadably; a key that is none is refused', async () => {
    const { owners } = registry();
    const [one, other] = [(await create()).body, (await create()).body];
    owners.firing = { status: 'started', runIds: ['00000000-0000-4000-8000-00000000aaaa'] };
    const keyOf = async (id: string, key: string) => {
      const headers = { 'idempotency-key': key };
      expect((await registry().send('POST', `${at(id)}/run`, { headers })).status).toBe(202);
      return (owners.firings.at(-1) as { requestKey?: string }).requestKey;
    };
    const first = await keyOf(one.id, 'pressed-once');
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(await keyOf(one.id, 'pressed-once')).toBe(first);
    const others = [await keyOf(one.id, 'pressed-again'), await keyOf(other.id, 'pressed-once')];
    expect(new Set([first, ...others]).size).toBe(3);
    const headers = { 'idempotency-key': 'two words' };
    expect(await registry().send('POST', `${at(one.id)}/run`, { headers })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ path: 'Idempotency-Key' }] },
    });
  });

  it('is refused with its words', async () => {
    const { owners } = registry();
    const { body } = await create();
    owners.firing = { status: 'skipped', why: 'A run of it has not ended.' };
    expect(await registry().post(`${at(body.id)}/run`)).toMatchObject({
      ...{
        status: 409,
        body: { code: 'conflict', detail: expect.stringContaining('A run of it has not ended.') },
      },
    });
    owners.firing = { status: 'refused', error: { code: 'not_found', message: 'Gone.' } as never };
    expect((await registry().post(`${at(body.id)}/run`)).status).toBe(404);
  });
});

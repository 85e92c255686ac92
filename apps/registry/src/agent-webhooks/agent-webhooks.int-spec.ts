import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { newWebhookKey } from '@switchyard/webhooks';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry({ publicUrl: 'https://tools.example.com/' });
let path = '';
const hook = { name: 'Tickets', input: 'Answer the ticket.' };
const create = (fields: Record<string, unknown> = {}) => registry().post(path, { ...hook, ...fields });
const at = (id: string) => `${path}/${id}`;
const secretsOf = (id: string) => registry().owners.stored.get(id)?.webhook;
const rotate = (id: string, body?: unknown) => registry().post(`${at(id)}/rotate-secret`, body);

/** As agent-runner reads it. */
const published = (id: string) =>
  asAdmin(registry().database.adminUrl, async (client) => {
    const { rows } = await client.query(`SELECT * FROM registry.v_webhooks WHERE id = $1`, [id]);
    return rows[0];
  });

beforeAll(async () => {
  path = `/api/agents/${(await registry().agent({ slug: 'listens' })).id}/webhooks`;
});

describe('a webhook', () => {
  it('takes Standard Webhooks by a secret that is shown once', async () => {
    const { status, body } = await create();
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        ...{ ...hook, scheme: { scheme: 'standard', tolerance_s: 300 }, body_limit_bytes: 262_144 },
        ...{ is_active: true, has_previous_secret: false, version: 1, lost_unattended: [] },
        ...{ url_path: `/hooks/${body.id}`, url: `https://tools.example.com/hooks/${body.id}` },
        secret: expect.stringMatching(/^whsec_/),
      },
    });
    expect(secretsOf(body.id)).toEqual({ current: body.secret });
    const read = (await registry().get(at(body.id))).body;
    expect(read).toEqual({ ...body, secret: '[stored]' });
    const seen = [
      read,
      (await registry().get(path)).body,
      await published(body.id),
      registry().owners.audited,
    ];
    expect(JSON.stringify(seen)).not.toContain(body.secret);
  });

  it('takes a vendor’s form by the vendor’s secret, which nobody gets to see again', async () => {
    const { body } = await create({
      scheme: { scheme: 'github' },
      secret: 'canary-secret',
      body_limit_bytes: 1_000,
    });
    expect(body).toMatchObject({ scheme: { scheme: 'github' }, secret: '[stored]', body_limit_bytes: 1_000 });
    expect(secretsOf(body.id)).toEqual({ current: 'canary-secret' });
    expect(await published(body.id)).toMatchObject({ scheme: { scheme: 'github' }, body_limit_bytes: 1_000 });
    const own = newWebhookKey();
    expect((await create({ secret: own })).body.secret).toBe('[stored]');
  });

  it('has both secrets while they are rotated', async () => {
    const { body } = await create();
    const first = body.secret;
    const { body: rotated } = await rotate(body.id);
    expect(rotated).toMatchObject({ has_previous_secret: true, version: 2 });
    expect(rotated.secret).toMatch(/^whsec_/);
    expect(secretsOf(body.id)).toEqual({ current: rotated.secret, previous: first });
    expect((await registry().get(at(body.id))).body).toMatchObject({
      has_previous_secret: true,
      secret: '[stored]',
    });
    expect((await registry().send('DELETE', `${at(body.id)}/previous-secret`)).status).toBe(204);
    expect(secretsOf(body.id)).toEqual({ current: rotated.secret });
    expect((await registry().get(at(body.id))).body).toMatchObject({
      has_previous_secret: false,
      version: 3,
    });
  });

  it('is rotated to what the vendor has, where it is the vendor’s', async () => {
    const { body } = await create({ scheme: { scheme: 'stripe' }, secret: 'first-secret' });
    expect(await rotate(body.id)).toMatchObject({ status: 400, body: { errors: [{ path: 'secret' }] } });
    expect((await rotate(body.id, { secret: 'second-secret' })).body.secret).toBe('[stored]');
    expect(secretsOf(body.id)).toEqual({ current: 'second-secret', previous: 'first-secret' });
  });

  it('is changed; another form of signature takes another secret', async () => {
    const { body } = await create();
    const changes = { name: 'Other', input: 'Sort it.', is_active: false, body_limit_bytes: 2_000 };
    expect((await registry().patch(at(body.id), changes)).body).toMatchObject({ ...changes, version: 2 });
    expect((await registry().patch(at(body.id), changes)).body.version).toBe(2);
    const scheme = { scheme: 'slack' };
    expect(await registry().patch(at(body.id), { scheme })).toMatchObject({
      ...{ status: 400, body: { errors: [{ path: 'secret' }] } },
    });
    await rotate(body.id);
    const { body: moved } = await registry().patch(at(body.id), { scheme, secret: 'slack-secret' });
    expect(moved).toMatchObject({
      scheme: { scheme: 'slack' },
      has_previous_secret: false,
      secret: '[stored]',
    });
    expect(secretsOf(body.id)).toEqual({ current: 'slack-secret' });
  });

  it('goes with its secrets, also where it goes with its agent', async () => {
    const { id } = await registry().agent({ slug: 'forgets', model_key: 'one' });
    const its = `/api/agents/${id}/webhooks`;
    const [{ body: one }, { body: two }] = [
      await registry().post(its, hook),
      await registry().post(its, hook),
    ];
    expect((await registry().send('DELETE', `${its}/${one.id}`)).status).toBe(204);
    expect((await registry().send('DELETE', `${its}/${one.id}`)).status).toBe(404);
    await registry().send('DELETE', `/api/agents/${id}`);
    for (const gone of [id, one.id, two.id]) expect(registry().owners.stored.get(gone)).toBeUndefined();
    const of = (webhook: string) =>
      registry()
        .owners.changes.filter((told) => told.entity === 'webhook' && told.id === webhook)
        .map(({ change }) => change);
    await eventually(() => of(two.id).length === 2);
    expect([of(one.id), of(two.id)]).toEqual([
      ['created', 'deleted'],
      ['created', 'deleted'],
    ]);
  });

  it('leaves nothing in the vault where it could not be made', async () => {
    const before = registry().owners.stored.size;
    registry().owners.refusal = { code: 'dependency_unavailable', message: 'No.' } as never;
    const answer = await create();
    registry().owners.refusal = undefined;
    expect(answer.status).toBe(503);
    await eventually(() => registry().owners.writes.at(-1)?.op === 'delete');
    expect(registry().owners.stored.size).toBe(before);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ scheme: { scheme: 'github' } }, 'secret'],
    [{ secret: 'whsec_short' }, 'secret'],
    [{ secret: '[stored]' }, 'secret'],
    [{ scheme: { scheme: 'github' }, secret: 'é'.repeat(20) }, 'secret'],
    [{ scheme: { scheme: 'github' }, secret: 'short' }, 'secret'],
    [{ scheme: { scheme: 'hmac' }, secret: 'long-enough' }, 'scheme.header'],
    [{ scheme: { scheme: 'none' } }, 'scheme'],
    [{ body_limit_bytes: 1_000_001 }, 'body_limit_bytes'],
    [{ input: '' }, 'input'],
    [{ url_path: '/hooks/mine' }, 'url_path'],
  ])('is refused with %j', async (fields, named) => {
    const { status, body } = await create(fields);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(named);
  });

  it('is of one agent, of one organization', async () => {
    const { body } = await create();
    const other = await registry().agent({ slug: 'listens-not' });
    const { key } = await registry().organization('has-no-hooks');
    for (const [where, as] of [[`/api/agents/${other.id}/webhooks`], [path, key]] as const) {
      const one = `${where}/${body.id}`;
      const answers = [
        await registry().get(one, as),
        await registry().send('PATCH', one, { body: { name: 'x' }, key: as }),
        await registry().post(`${one}/rotate-secret`, undefined, as),
        await registry().send('DELETE', `${one}/previous-secret`, { key: as }),
        await registry().send('DELETE', one, { key: as }),
      ];
      for (const answer of answers)
        expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    for (const answer of [await registry().get(path, key), await registry().post(path, hook, key)])
      expect(answer.status).toBe(404);
    expect(secretsOf(body.id)).toEqual({ current: body.secret });
  });
});

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  eventually,
  freePort,
  spawnFixtureUpstream,
  startFixtureUpstream,
  textResult,
  type FixtureOptions,
  type FixtureUpstream,
} from '@switchyard/testing';
import { createEgressPolicy } from '../egress/egress-policy.js';
import { UpstreamError } from '../failures/upstream-error.js';
import type { UpstreamSession } from '../sessions/upstream-session.js';
import type { UpstreamTarget } from '../sessions/upstream-target.js';
import { UpstreamPool, type PoolOptions } from './upstream-pool.js';

jest.setTimeout(60_000);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function poolOf(options: Partial<PoolOptions> = {}): UpstreamPool {
  const egress = createEgressPolicy({ allowPrivate: true });
  const pool = new UpstreamPool({ egress, ...options });
  closing.push(
    () => egress.close(),
    () => pool.close(),
  );
  return pool;
}

async function upstreamOf(options: FixtureOptions): Promise<FixtureUpstream> {
  const upstream = await startFixtureUpstream(options);
  closing.push(() => upstream.close());
  return upstream;
}

const target = (url: string, headers = {}): UpstreamTarget => ({
  integrationId: 'i',
  transport: { type: 'http', url },
  headers,
});
const echo = (session: UpstreamSession) =>
  session.call({ name: 'echo', arguments: { message: 'x' }, timeoutMs: 10_000 });
const unsafe = (id: string) => (session: UpstreamSession) =>
  session.call({ name: 'count-side-effect', arguments: { id }, timeoutMs: 10_000 });
const thrown = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe.each(['legacy', 'modern'] as const)('a pool over %s upstreams', (era) => {
  it('keeps one session per key, and one connect for all who come first', async () => {
    const upstream = await upstreamOf({ era });
    const pool = poolOf();
    const sessions = new Set<UpstreamSession>();
    const use = (key: string) =>
      pool.withSession(key, target(upstream.url), async (session) => {
        sessions.add(session);
        return echo(session);
      });
    const results = await Promise.all([...Array.from({ length: 50 }, () => use('a')), use('b')]);
    expect(results).toEqual(results.map(() => textResult('Echo: x')));
    expect([sessions.size, pool.size()]).toEqual([2, 2]);
    const connects = upstream.requests.filter(
      (method) => method === (era === 'legacy' ? 'initialize' : 'server/discover'),
    );
    expect(connects.length).toBe(2);
  });

  it('gives each call that asks for it a session of its own, and keeps those that ended well', async () => {
    const upstream = await upstreamOf({ era });
    const pool = poolOf();
    const to = target(upstream.url);
    const options = { capabilities: { elicitation: {} }, eraKey: 'k' };
    const held: UpstreamSession[] = [];
    const both = Promise.withResolvers<void>();
    const hold = async (session: UpstreamSession) => {
      if (held.push(session) === 2) both.resolve();
      await both.promise;
      return echo(session);
    };
    await Promise.all([
      pool.withOwnSession('k:own', to, hold, options),
      pool.withOwnSession('k:own', to, hold, options),
    ]);
    expect(new Set(held).size).toBe(2);
    await pool.withOwnSession('k:own', to, async (session) => held.push(session), options);
    expect(new Set(held).size).toBe(2);
    const failed = pool.withOwnSession(
      'k:own',
      to,
      () => Promise.reject(new Error('in the middle')),
      options,
    );
    await expect(failed).rejects.toThrow('in the middle');
    await pool.withOwnSession('k:own', to, async (session) => held.push(session), options);
    expect([new Set(held).size, pool.size()]).toEqual([3, 2]);
    expect(pool.isModern('k', to)).toBe(era === 'modern');
  });

  it('survives a restart of the server on its port within one call', async () => {
    const pool = poolOf();
    const first = await startFixtureUpstream({ era });
    await pool.withSession('k', target(first.url), echo);
    await first.close();
    const second = await upstreamOf({ era, port: first.port });
    expect(await pool.withSession('k', target(second.url), unsafe('once'))).toEqual(textResult('Done: once'));
    expect(second.calls.length).toBe(1);
    expect(pool.size()).toBe(1);
  });

  it('survives a kill -9 and restart of the server’s process', async () => {
    const args = ['--era', era, '--port', String(await freePort())];
    const pool = poolOf();
    const first = await spawnFixtureUpstream(args);
    await pool.withSession('k', target(first.url), echo);
    await first.kill();
    const second = await spawnFixtureUpstream(args);
    closing.push(() => second.kill());
    expect(await pool.withSession('k', target(second.url), unsafe('once'))).toEqual(textResult('Done: once'));
    expect(await second.control('calls')).toHaveLength(1);
  });

  it('repeats what was sent and not answered only if that is safe', async () => {
    const upstream = await upstreamOf({ era });
    const pool = poolOf();
    await pool.withSession('k', target(upstream.url), echo);
    upstream.failNext({ method: 'tools/call', drop: 'handled' });
    const error = await thrown(pool.withSession('k', target(upstream.url), unsafe('a')));
    expect((error as UpstreamError).failure).toMatchObject({ failureClass: 'sent_no_answer' });
    expect(upstream.calls.length).toBe(1);
    upstream.failNext({ method: 'tools/call', drop: 'handled' });
    expect(await pool.withSession('k', target(upstream.url), unsafe('b'), { safe: true })).toEqual(
      textResult('Done: b'),
    );
    expect(upstream.calls.length).toBe(3);
  });

  it('fails once, and not for ever, where the server is down', async () => {
    const first = await startFixtureUpstream({ era });
    await first.close();
    const pool = poolOf();
    expect(await thrown(pool.withSession('k', target(first.url), echo))).toBeInstanceOf(UpstreamError);
    const upstream = await upstreamOf({ era, port: first.port });
    expect(await pool.withSession('k', target(upstream.url), echo)).toEqual(textResult('Echo: x'));
  });

  it('lets running calls finish on a session that is dropped, and closes it then', async () => {
    const upstream = await upstreamOf({ era });
    const pool = poolOf();
    const slow = pool.withSession('int:user', target(upstream.url), (session) =>
      session.call({ name: 'slow', arguments: { ms: 200 }, timeoutMs: 10_000 }),
    );
    await eventually(() => upstream.callsOf('slow').length === 1);
    pool.drop('int:');
    expect(pool.size()).toBe(0);
    expect(await slow).toEqual(textResult('Slept'));
    await eventually(() => upstream.sessionCount() === 0);
  });

  it('sends the credentials of each lease over the same session', async () => {
    const upstream = await upstreamOf({ era });
    const pool = poolOf();
    const whoami = async (token: string): Promise<unknown> => {
      const { structuredContent } = await pool.withSession(
        'k',
        target(upstream.url, { authorization: token }),
        (session) => session.call({ name: 'whoami', arguments: {}, timeoutMs: 10_000 }),
      );
      return (structuredContent as { headers: Record<string, string> }).headers['authorization'];
    };
    expect([await whoami('one'), await whoami('two'), pool.size()]).toEqual(['one', 'two', 1]);
  });
});

describe('a pool', () => {
  it.each([404, 400] as const)(
    'opens a new session when the server forgot it (%s), within one call',
    async (status) => {
      const upstream = await upstreamOf({ era: 'legacy', lostSessionStatus: status });
      const pool = poolOf();
      await pool.withSession('k', target(upstream.url), echo);
      await upstream.forgetSessions();
      expect(await pool.withSession('k', target(upstream.url), unsafe('once'))).toEqual(
        textResult('Done: once'),
      );
      expect(upstream.calls.length).toBe(1);
    },
  );

  it('brings every one of many callers over a lost session', async () => {
    const upstream = await upstreamOf({ era: 'legacy' });
    const pool = poolOf();
    await pool.withSession('k', target(upstream.url), echo);
    await upstream.forgetSessions();
    const calls = Array.from({ length: 40 }, (_, index) =>
      pool.withSession('k', target(upstream.url), unsafe(String(index))),
    );
    expect((await Promise.all(calls)).length).toBe(40);
    expect(new Set(upstream.calls.map(({ arguments: args }) => args['id'])).size).toBe(40);
    expect(upstream.calls.length).toBe(40);
  });

  it('connects anew when the target changed', async () => {
    const [one, two] = [await upstreamOf({ name: 'one' }), await upstreamOf({ name: 'two' })];
    const pool = poolOf();
    const nameOf = (url: string) =>
      pool.withSession('k', target(url), async ({ upstream }) => upstream.serverName);
    expect([await nameOf(one.url), await nameOf(two.url), pool.size()]).toEqual(['one', 'two', 1]);
  });

  it('closes sessions that nobody uses', async () => {
    const upstream = await upstreamOf({ era: 'legacy' });
    const pool = poolOf({ idleMs: 100 });
    await pool.withSession('k', target(upstream.url), echo);
    expect(upstream.sessionCount()).toBe(1);
    await eventually(() => pool.size() === 0 && upstream.sessionCount() === 0);
    expect(await pool.withSession('k', target(upstream.url), echo)).toEqual(textResult('Echo: x'));
  });

  it('keeps a session that is in use, however long', async () => {
    const upstream = await upstreamOf({ era: 'legacy' });
    const pool = poolOf({ idleMs: 50 });
    const slow = (session: UpstreamSession) =>
      session.call({ name: 'slow', arguments: { ms: 400 }, timeoutMs: 10_000 });
    expect(await pool.withSession('k', target(upstream.url), slow)).toEqual(textResult('Slept'));
  });

  it.each([
    ['legacy', 'modern'],
    ['modern', 'legacy'],
  ] as const)('notices that a %s server became %s', async (before, after) => {
    const pool = poolOf();
    const first = await startFixtureUpstream({ era: before });
    await pool.withSession('k', target(first.url), echo);
    await first.close();
    const second = await upstreamOf({ era: after, port: first.port });
    expect(await pool.withSession('k', target(second.url), unsafe('once'))).toEqual(textResult('Done: once'));
    expect(second.calls.length).toBe(1);
  });

  it('passes on what is no failure of an upstream', async () => {
    const upstream = await upstreamOf({});
    const error = new Error('mine');
    expect(await thrown(poolOf().withSession('k', target(upstream.url), () => Promise.reject(error)))).toBe(
      error,
    );
  });

  it('takes nobody once it is closed', async () => {
    const upstream = await upstreamOf({ era: 'legacy' });
    const pool = poolOf();
    await pool.withSession('k', target(upstream.url), echo);
    await pool.close();
    expect(upstream.sessionCount()).toBe(0);
    expect(await thrown(pool.withSession('k', target(upstream.url), echo))).toBeInstanceOf(Error);
  });
});

describe('somebody who waits for a connection', () => {
  it('can give up without ending it for the others', async () => {
    const upstream = await upstreamOf({ era: 'legacy' });
    upstream.failNext({ method: 'server/discover', delayMs: 400, status: 404 });
    const pool = poolOf();
    const patient = pool.withSession('k', target(upstream.url), echo);
    const hasty = await thrown(
      pool.withSession('k', target(upstream.url), echo, { signal: AbortSignal.timeout(100) }),
    );
    expect((hasty as UpstreamError).failure).toMatchObject({
      failureClass: 'not_sent',
      error: { code: 'deadline_exceeded' },
    });
    expect(await patient).toEqual(textResult('Echo: x'));
  });
});

describe('two principals', () => {
  it('get their own answers alone, though their JSON-RPC ids are the same', async () => {
    const upstream = await upstreamOf({ era: 'both' });
    const pool = poolOf();
    const whoami = async (user: string): Promise<unknown> => {
      const { structuredContent } = await pool.withSession(
        `i:${user}`,
        target(upstream.url, { authorization: user }),
        (session) => session.call({ name: 'whoami', arguments: {}, timeoutMs: 50_000 }),
      );
      return (structuredContent as { headers: Record<string, string> }).headers['authorization'];
    };
    const users = Array.from({ length: 1000 }, (_, index) => (index % 2 ? 'alice' : 'bob'));
    expect(await Promise.all(users.map(whoami))).toEqual(users);
  });
});

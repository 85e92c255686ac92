import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { ToolResult } from '@switchyard/contracts';
import { calmMsOf, compileProjects, eventually, stdioFixturePath } from '@switchyard/testing';
import { createEgressPolicy } from '../egress/egress-policy.js';
import { UpstreamError } from '../failures/upstream-error.js';
import { UpstreamPool } from '../pool/upstream-pool.js';
import { UpstreamSession } from '../sessions/upstream-session.js';
import type { UpstreamTarget } from '../sessions/upstream-target.js';
import { matchStdio } from './match-stdio.js';

jest.setTimeout(60_000);

const egress = createEgressPolicy({ allowPrivate: false });
const closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function target(
  args: string[] = [],
  more: Partial<UpstreamTarget> = {},
  env: string[] = ['TOKEN'],
): UpstreamTarget {
  const transport = { type: 'stdio' as const, command: 'fixture', args };
  const entry = {
    name: 'fixture',
    command: process.execPath,
    args: [stdioFixturePath()],
    argument_pattern: '--[a-z-]+',
    env,
    organizations: ['*'],
  };
  return {
    integrationId: 'i',
    transport,
    headers: {},
    stdioCommand: matchStdio([entry], transport, 'default'),
    ...more,
  };
}

async function connect(to: UpstreamTarget, timeoutMs = 15_000): Promise<UpstreamSession> {
  const session = await UpstreamSession.connect(to, { egress, timeoutMs });
  closing.push(() => session.close());
  return session;
}

async function call(
  session: UpstreamSession,
  name: string,
  args: Record<string, unknown> = {},
  more: object = {},
): Promise<string> {
  const { content } = (await session.call({
    name,
    arguments: args,
    timeoutMs: 15_000,
    ...more,
  })) as ToolResult;
  return String(content?.[0]?.['text']);
}

const thrown = (work: Promise<unknown>): Promise<UpstreamError> =>
  work.then(
    (value) => Promise.reject(new Error(`it succeeded: ${String(value)}`)),
    (error: UpstreamError) => error,
  );

function isAlive(pid: number): boolean {
  // A zombie answers signals too: in a container nobody may be there to reap orphans.
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

describe('a session over stdio', () => {
  it('lists, calls and pings', async () => {
    const session = await connect(target());
    expect(session.upstream).toMatchObject({ era: 'legacy', serverName: 'stdio-fixture' });
    expect((await session.listTools({ timeoutMs: 10_000 })).map(({ name }) => name)).toContain('echo');
    expect(await call(session, 'echo', { message: 'hi' })).toBe('Echo: hi');
    await session.ping({ timeoutMs: 10_000 });
  });

  it('takes a server that exits on requests of the new era for one of the old', async () => {
    expect(await call(await connect(target(['--exit-on-probe'])), 'echo', { message: 'x' })).toBe('Echo: x');
  });

  it('takes a server that does not answer them for one of the old', async () => {
    expect(await call(await connect(target(['--ignore-probe']), 4000), 'echo', { message: 'x' })).toBe(
      'Echo: x',
    );
  });

  it('gives the child nothing of our environment but what its entry names', async () => {
    process.env['SWITCHYARD_TEST_CANARY'] = 'canary';
    closing.push(() => delete process.env['SWITCHYARD_TEST_CANARY']);
    const session = await connect(
      target([], { env: { TOKEN: 't0ken', LD_PRELOAD: '/tmp/x.so', OTHER: 'o', PATH: '/evil' } }),
    );
    const env = JSON.parse(await call(session, 'env')) as Record<string, string>;
    expect(env).toEqual({
      TOKEN: 't0ken',
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    });
    expect(await call(session, 'cwd')).toBe('/');
  });

  it('lets only growing progress through', async () => {
    const seen: number[] = [];
    await call(
      await connect(target()),
      'progress',
      {},
      { onProgress: ({ progress }: { progress: number }) => seen.push(progress) },
    );
    expect(seen).toEqual([1, 3, 4]);
  });

  it('reads over lines that are no messages', async () => {
    expect(await call(await connect(target()), 'noise')).toBe('Noisy');
  });

  it('refuses to start without a matched command', async () => {
    const error = await thrown(connect(target([], { stdioCommand: undefined })));
    expect(error.failure).toMatchObject({ failureClass: 'not_sent', error: { code: 'stdio_not_allowed' } });
  });

  it('fails unsent where the command does not exist', async () => {
    const error = await thrown(
      connect(target([], { stdioCommand: { command: '/nowhere/server', args: [], env: [] } })),
    );
    expect(error.failure).toMatchObject({
      failureClass: 'not_sent',
      error: { code: 'upstream_unreachable' },
    });
  });

  it('interprets nothing: there is no shell', async () => {
    const stdioCommand = {
      command: '/bin/echo',
      args: ['$(touch /tmp/switchyard-pwned)', ';', 'id'],
      env: [],
    };
    await thrown(connect(target([], { stdioCommand }), 1000));
    expect(existsSync('/tmp/switchyard-pwned')).toBe(false);
  });

  it('shows the end of stderr, without the values that the child was given', async () => {
    const session = await connect(target([], { env: { TOKEN: 's3cr3t' } }));
    await call(session, 'stderr', { message: 'cannot use s3cr3t here' });
    const error = await thrown(call(session, 'exit'));
    expect(error.diagnostic).toBe('cannot use [redacted] here');
    expect(JSON.stringify(error.failure)).not.toContain('s3cr3t');
  });

  it('knows no answer of a child that died during the call, and sends nothing to a dead one', async () => {
    const session = await connect(target());
    expect((await thrown(call(session, 'exit'))).failure).toMatchObject({
      failureClass: 'sent_no_answer',
      error: { code: 'upstream_unreachable' },
    });
    await eventually(() => session.isLost);
    expect((await thrown(call(session, 'echo'))).failure).toMatchObject({
      failureClass: 'not_sent',
      error: { code: 'upstream_unreachable' },
    });
  });

  it('ends a child that prints a line without end, as a result too large', async () => {
    const session = await connect(target());
    const pid = Number(await call(session, 'pid'));
    const error = await thrown(call(session, 'big-line', { bytes: 50 * 1024 * 1024 }));
    expect(error.failure).toMatchObject({ failureClass: 'answered', error: { code: 'result_too_large' } });
    await eventually(() => session.isLost && !isAlive(pid));
  });

  it('passes a large line that is within the limit', async () => {
    expect((await call(await connect(target()), 'big-line', { bytes: 5_000_000 })).length).toBe(5_000_000);
  });

  it('gives a dead child’s callers a new one, within one call', async () => {
    const pool = new UpstreamPool({ egress });
    closing.push(() => pool.close());
    const pidOf = () => pool.withSession('k', target(), (session) => call(session, 'pid'));
    const first = await pidOf();
    process.kill(Number(first), 'SIGKILL');
    await eventually(() => pool.size() === 0);
    expect(await pidOf()).not.toBe(first);
    expect(pool.size()).toBe(1);
  });
});

describe('the end of a child', () => {
  it('is quick where the child ends with its stdin', async () => {
    const session = await connect(target());
    const pid = Number(await call(session, 'pid'));
    const waitedMs = await calmMsOf(() => session.close());
    expect(isAlive(pid)).toBe(false);
    expect(waitedMs).toBeLessThan(1_000);
  });

  it('comes to the whole group, even to those who ignore every polite signal', async () => {
    const session = await connect(target(['--ignore-end']));
    const pids = [Number(await call(session, 'pid')), Number(await call(session, 'grandchild'))];
    expect(pids.map(isAlive)).toEqual([true, true]);
    await session.close();
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  it('comes to grandchildren that a child leaves behind', async () => {
    const session = await connect(target());
    const grandchild = Number(await call(session, 'grandchild'));
    await thrown(call(session, 'exit'));
    await eventually(() => !isAlive(grandchild));
  });

  it('comes to the whole group when this process is killed with SIGKILL', async () => {
    await compileProjects('libs/contracts', 'libs/mcp-client');
    const script = fileURLToPath(new URL('../../test/hold-stdio-child.mjs', import.meta.url));
    const holder = spawn(process.execPath, [script, stdioFixturePath()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    closing.push(() => holder.kill('SIGKILL'));
    const [line] = (await once(createInterface({ input: holder.stdout }), 'line')) as [string];
    const pids = JSON.parse(line) as number[];
    expect(pids.map(isAlive)).toEqual([true, true]);
    holder.kill('SIGKILL');
    await eventually(() => pids.every((pid) => !isAlive(pid)), { timeoutMs: 15_000 });
  });
});

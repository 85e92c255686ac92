import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually, startSseUpstream, type SseUpstream } from '@switchyard/testing';
import { createEgressPolicy } from '../egress/egress-policy.js';
import type { UpstreamError } from '../failures/upstream-error.js';
import { UpstreamPool } from '../pool/upstream-pool.js';
import { UpstreamSession } from './upstream-session.js';
import type { UpstreamTarget } from './upstream-target.js';

jest.setTimeout(60_000);

const egress = createEgressPolicy({ allowPrivate: true });
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const target = (url: string): UpstreamTarget => ({
  integrationId: 'i',
  transport: { type: 'sse', url },
  headers: {},
});
const call = (session: UpstreamSession, name = 'count-side-effect') =>
  session.call({ name, arguments: { id: 1 }, timeoutMs: 10_000 });
const thrown = (work: Promise<unknown>): Promise<UpstreamError> =>
  work.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: UpstreamError) => error,
  );

async function pair(): Promise<{ upstream: SseUpstream; session: UpstreamSession }> {
  const upstream = await startSseUpstream();
  closing.push(() => upstream.close());
  const session = await UpstreamSession.connect(target(upstream.url), { egress, timeoutMs: 10_000 });
  closing.push(() => session.close());
  return { upstream, session };
}

describe('a session over HTTP+SSE', () => {
  it('lists, calls and pings', async () => {
    const { session } = await pair();
    expect(session.upstream).toMatchObject({ era: 'legacy', serverName: 'sse-upstream' });
    expect(await session.listTools({ timeoutMs: 10_000 })).toHaveLength(3);
    expect(await call(session, 'echo')).toEqual({ content: [{ type: 'text', text: 'echo: {"id":1}' }] });
    await session.ping({ timeoutMs: 10_000 });
  });

  it('tells when the tools change', async () => {
    const { session, upstream } = await pair();
    let changes = 0;
    session.onListsChanged(() => changes++);
    await upstream.toolsChanged();
    await eventually(() => changes === 1);
  });

  it('is lost with its stream, and so is what was under way', async () => {
    const { session, upstream } = await pair();
    const hanging = thrown(call(session, 'hang'));
    await eventually(() => upstream.calls.length === 1);
    upstream.dropConnections();
    expect((await hanging).failure).toMatchObject({
      failureClass: 'sent_no_answer',
      error: { code: 'upstream_unreachable' },
    });
    expect(session.isLost).toBe(true);
  });

  it('fails unsent where nobody listens', async () => {
    const upstream = await startSseUpstream();
    await upstream.close();
    const error = await thrown(UpstreamSession.connect(target(upstream.url), { egress, timeoutMs: 10_000 }));
    expect(error.failure).toMatchObject({
      failureClass: 'not_sent',
      error: { code: 'upstream_unreachable', details: { reason: 'connection_refused' } },
    });
  });

  it('is brought over a restart of the server by the pool, within one call', async () => {
    const pool = new UpstreamPool({ egress });
    closing.push(() => pool.close());
    const first = await startSseUpstream();
    await pool.withSession('k', target(first.url), (session) => call(session, 'echo'));
    await first.close();
    const second = await startSseUpstream({ port: first.port });
    closing.push(() => second.close());
    await pool.withSession('k', target(second.url), call);
    expect(second.calls.length).toBe(1);
  });
});

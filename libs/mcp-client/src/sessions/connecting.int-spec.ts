import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { eventually, textResult } from '@switchyard/testing';
import { call, closing, connect, failureOf, pair, target, upstreamOf } from '../../test/sessions.js';
import { createEgressPolicy } from '../egress/egress-policy.js';

describe('credentials', () => {
  const authorization = 'Bearer vendor-token';

  it('go to the upstream, and can be replaced while the session lives', async () => {
    const upstream = await upstreamOf({ requiredHeaders: { authorization } });
    const session = await connect(target(upstream.url, { headers: { Authorization: authorization } }));
    expect(await call(session, 'echo', { message: 'x' })).toEqual(textResult('Echo: x'));
    session.useHeaders({ Authorization: 'Bearer old' });
    expect(await failureOf(call(session, 'echo'))).toMatchObject({
      failureClass: 'not_sent',
      error: { code: 'upstream_denied' },
    });
    session.useHeaders({ Authorization: authorization });
    expect(await call(session, 'echo', { message: 'y' })).toEqual(textResult('Echo: y'));
  });

  it('cannot set headers of the protocol', async () => {
    const upstream = await upstreamOf();
    const headers = { 'Mcp-Session-Id': 'forged', Host: 'evil', 'Content-Length': '1', 'X-Key': 'k' };
    const session = await connect(target(upstream.url, { headers }));
    const seen = (await call(session, 'whoami'))['structuredContent'] as { headers: Record<string, string> };
    expect(seen.headers).toMatchObject({ 'x-key': 'k', host: `127.0.0.1:${upstream.port}` });
    expect(seen.headers['mcp-session-id']).toBeUndefined();
  });

  it('are refused at connecting: not sent, and denied', async () => {
    const upstream = await upstreamOf({ requiredHeaders: { authorization } });
    expect(await failureOf(connect(target(upstream.url)))).toMatchObject({
      failureClass: 'not_sent',
      error: { code: 'upstream_denied' },
    });
  });
});

describe('connecting', () => {
  async function serverThat(handle: RequestListener): Promise<string> {
    const server = createServer(handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  }

  it('fails unsent where nobody listens', async () => {
    const upstream = await upstreamOf();
    await upstream.close();
    expect(await failureOf(connect(target(upstream.url)))).toMatchObject({
      failureClass: 'not_sent',
      error: { code: 'upstream_unreachable', details: { reason: 'connection_refused' } },
    });
  });

  it('fails with a protocol error where a web page answers', async () => {
    const url = await serverThat((_, res) => {
      res.writeHead(200, { 'content-type': 'text/html' });
      res.end('<html>Hello</html>');
    });
    expect(await failureOf(connect(target(url)))).toMatchObject({
      error: { code: 'upstream_protocol_error' },
    });
  });

  it('fails unsent where nobody answers in time', async () => {
    const url = await serverThat(() => undefined);
    const failure = await failureOf(connect(target(url), { timeoutMs: 300 }));
    expect(failure).toMatchObject({
      failureClass: 'not_sent',
      error: { code: 'upstream_unreachable', details: { reason: 'connect_timeout' } },
    });
  });

  it('can be given up', async () => {
    const url = await serverThat(() => undefined);
    const failure = await failureOf(connect(target(url), { signal: AbortSignal.timeout(100) }));
    expect(failure.failureClass).toBe('not_sent');
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    expect(await failureOf(connect(target(url), { signal: abort.signal }))).toMatchObject({
      error: { code: 'cancelled' },
    });
  });

  it('is denied by the egress policy without the development setting', async () => {
    const upstream = await upstreamOf();
    const egress = createEgressPolicy({ allowPrivate: false });
    closing.push(() => egress.close());
    const failure = await failureOf(connect(target(upstream.url), { egress }));
    expect(failure).toMatchObject({ failureClass: 'not_sent', error: { code: 'egress_denied' } });
    expect(upstream.requests).toEqual([]);
  });

  it('follows no redirect to another origin', async () => {
    const upstream = await upstreamOf();
    const url = await serverThat((_, res) => {
      res.writeHead(307, { location: upstream.url });
      res.end();
    });
    const failure = await failureOf(connect(target(url, { headers: { authorization: 'Bearer secret' } })));
    expect(failure).toMatchObject({ failureClass: 'answered', error: { code: 'upstream_protocol_error' } });
    expect(upstream.requests).toEqual([]);
  });

  it.each([500, 501, 404, 400])(
    'takes a server that answers %s to the question of its era for a legacy one',
    async (status) => {
      const upstream = await upstreamOf({ era: 'legacy' });
      upstream.failNext({ method: 'server/discover', status });
      expect((await connect(target(upstream.url))).upstream.era).toBe('legacy');
    },
  );

  it.each([401, 403, 502, 503])('takes %s for no evidence of an era', async (status) => {
    const upstream = await upstreamOf({ era: 'legacy' });
    upstream.failNext({ method: 'server/discover', status });
    await failureOf(connect(target(upstream.url)));
    expect(upstream.requests).toEqual(['server/discover']);
  });

  it('asks nothing about the era where a verdict is given', async () => {
    for (const era of ['legacy', 'modern'] as const) {
      const { upstream, session } = await pair({ era });
      const asked = upstream.requests.filter((method) => method === 'server/discover').length;
      const again = await connect(target(upstream.url), { era: session.era });
      expect(again.upstream).toEqual(session.upstream);
      expect(upstream.requests.filter((method) => method === 'server/discover').length).toBe(asked);
      expect(await call(again, 'echo', { message: 'x' })).toEqual(textResult('Echo: x'));
    }
  });
});

describe('the end of a session', () => {
  it.each([404, 400] as const)(
    'is a lost session, unsent, when the server says %s',
    async (lostSessionStatus) => {
      const { session, upstream } = await pair({ era: 'legacy', lostSessionStatus });
      let closed = 0;
      session.onClose(() => closed++);
      await upstream.forgetSessions();
      expect(await failureOf(call(session, 'count-side-effect'))).toMatchObject({
        failureClass: 'not_sent',
        error: { code: 'upstream_unreachable', details: { sessionLost: true } },
      });
      expect(upstream.calls).toEqual([]);
      expect([session.isLost, closed]).toEqual([true, 1]);
    },
  );

  it('is told to a legacy server', async () => {
    const { session, upstream } = await pair({ era: 'legacy' });
    expect(upstream.sessionCount()).toBe(1);
    await session.close();
    expect(upstream.sessionCount()).toBe(0);
    expect(session.isLost).toBe(true);
  });

  it('ends calls that are on their way', async () => {
    const { session, upstream } = await pair({ era: 'both' });
    const failing = failureOf(call(session, 'hang'));
    await eventually(() => upstream.callsOf('hang').length === 1);
    await session.close();
    expect(await failing).toMatchObject({
      failureClass: 'sent_no_answer',
      error: { code: 'upstream_unreachable' },
    });
  });
});

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { causes } from '../failures/classify-failure.js';
import type { Resolver } from './checked-connector.js';
import { createEgressPolicy, type EgressPolicy } from './egress-policy.js';

jest.setTimeout(60_000);

const open: { servers: Server[]; policies: EgressPolicy[] } = { servers: [], policies: [] };

async function serve(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function policy(options: Partial<Parameters<typeof createEgressPolicy>[0]> = {}): EgressPolicy {
  const created = createEgressPolicy({ allowPrivate: true, ...options });
  open.policies.push(created);
  return created;
}

/** The platform code, or the system code, that a fetch failed with. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  return (
    causes(error)
      .map((one) => (one as NodeJS.ErrnoException).code)
      .find(Boolean) ?? String(error)
  );
}

const resolvesTo =
  (...addresses: string[]): Resolver =>
  (_, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

afterEach(async () => {
  await Promise.all(open.policies.splice(0).map((one) => one.close()));
  for (const server of open.servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('check', () => {
  it('resolves names and denies those that lead inside', async () => {
    const inside = policy({ allowPrivate: false, resolve: resolvesTo('93.184.216.34', '10.0.0.7') });
    expect(await failureOf(inside.check('https://example.com/'))).toBe('egress_denied');
    const outside = policy({ allowPrivate: false, resolve: resolvesTo('93.184.216.34') });
    await expect(outside.check('https://example.com/')).resolves.toBeUndefined();
  });

  it('leaves a name that has no address to the connection', async () => {
    const nowhere = policy({ allowPrivate: false, resolve: (_, done) => done(new Error('ENOTFOUND'), []) });
    await expect(nowhere.check('https://example.com/')).resolves.toBeUndefined();
  });
});

describe('fetch', () => {
  it('catches a name that is rebound between the check and the connection', async () => {
    let hits = 0;
    const { port } = new URL(await serve((_, res) => void res.end(String(++hits))));
    let lookups = 0;
    const rebinding: Resolver = (host, done) =>
      resolvesTo(lookups++ === 0 ? '93.184.216.34' : '127.0.0.1')(host, done);
    const egress = policy({ allowPrivate: false, resolve: rebinding });
    await egress.check(`https://rebound.example:${port}/`);
    expect(await failureOf(egress.fetch(`https://rebound.example:${port}/`))).toBe('egress_denied');
    expect(hits).toBe(0);
  });

  it('connects to the address that was checked, not to a later one', async () => {
    const url = new URL(await serve((_, res) => void res.end('ok')));
    let lookups = 0;
    const egress = policy({
      resolve: (host, done) => resolvesTo(lookups++ === 0 ? '127.0.0.1' : '169.254.169.254')(host, done),
    });
    const answer = await egress.fetch(`http://once.example:${url.port}/`);
    expect(await answer.text()).toBe('ok');
    expect(lookups).toBe(1);
  });

  it('denies link-local and http to public addresses even with the development setting', async () => {
    for (const address of ['169.254.169.254', '93.184.216.34', '::ffff:127.0.0.1', '100.64.0.1']) {
      expect(await failureOf(policy({ resolve: resolvesTo(address) }).fetch('http://example.com/'))).toBe(
        'egress_denied',
      );
    }
  });

  it('denies an address literal at the connection', async () => {
    const url = await serve((_, res) => void res.end('ok'));
    expect(await failureOf(policy({ allowPrivate: false }).fetch(url.replace('http:', 'https:')))).toBe(
      'egress_denied',
    );
  });

  it('follows no redirect to another origin: credentials and body stay home', async () => {
    const seen: string[] = [];
    const thief = await serve((req, res) => {
      seen.push(JSON.stringify(req.headers));
      res.end('stolen');
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const vendor = await serve((_, res) => void res.writeHead(status, { location: `${thief}/mcp` }).end());
      const init = { method: 'POST', body: 'secret', headers: { authorization: 'Bearer secret' } };
      expect((await policy().fetch(vendor, init)).status).toBe(status);
    }
    expect(seen).toEqual([]);
  });

  it('follows a redirect within the origin that keeps the method', async () => {
    const bodies: string[] = [];
    const url = await serve((req, res) => {
      if (req.url === '/') return void res.writeHead(307, { location: '/mcp' }).end();
      req.on('data', (chunk: Buffer) =>
        bodies.push(`${req.method} ${req.headers.authorization} ${chunk.toString()}`),
      );
      req.on('end', () => res.end('there'));
    });
    const answer = await policy().fetch(url, {
      method: 'POST',
      body: 'b',
      headers: { authorization: 'Bearer a' },
    });
    expect(await answer.text()).toBe('there');
    expect(bodies).toEqual(['POST Bearer a b']);
  });

  it('follows no redirect to another scheme or into a loop for ever', async () => {
    let hits = 0;
    const url = await serve((req, res) => {
      hits++;
      res.writeHead(302, { location: req.url === '/unix' ? 'unix:/var/run/docker.sock' : '/again' }).end();
    });
    expect((await policy().fetch(`${url}/unix`)).status).toBe(302);
    expect((await policy().fetch(url)).status).toBe(302);
    expect(hits).toBeLessThan(10);
  });

  it('reads compressed answers, whatever way they were compressed, and answers without a body', async () => {
    const url = await serve((req, res) => {
      if (req.url === '/none') return void res.writeHead(204).end();
      const codings = { '/gzip': gzipSync, '/br': brotliCompressSync, '/deflate': deflateSync };
      const compress = codings[req.url as keyof typeof codings];
      res.writeHead(200, { 'content-encoding': String(req.url).slice(1) }).end(compress('in short'));
    });
    for (const coding of ['gzip', 'br', 'deflate']) {
      expect(await (await policy().fetch(`${url}/${coding}`)).text()).toBe('in short');
    }
    const none = await policy().fetch(`${url}/none`);
    expect([none.status, await none.text()]).toEqual([204, '']);
  });

  it('sends bodies of every kind under their type', async () => {
    const url = await serve((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => res.end(`${req.headers['content-type']}|${body}`));
    });
    const echoed = async (body: string | Uint8Array | URLSearchParams) =>
      (await policy().fetch(url, { method: 'POST', body: body as never })).text();
    expect(await echoed(new URLSearchParams({ a: 'b c' }))).toBe(
      'application/x-www-form-urlencoded;charset=UTF-8|a=b+c',
    );
    expect(await echoed('text')).toBe('text/plain;charset=UTF-8|text');
    expect(await echoed(Buffer.from('bytes'))).toBe('undefined|bytes');
  });

  it('ends a request whose signal aborts, before and after its headers', async () => {
    const url = await serve((req, res) => {
      if (req.url === '/body') res.writeHead(200).write('beginning');
    });
    const early = new AbortController();
    const unanswered = policy().fetch(url, { signal: early.signal });
    early.abort(new Error('early'));
    await expect(unanswered).rejects.toThrow('early');
    const late = new AbortController();
    const answer = await policy().fetch(`${url}/body`, { signal: late.signal });
    late.abort(new Error('late'));
    await expect(answer.text()).rejects.toThrow('late');
  });

  it('ends a body beyond the limit', async () => {
    const url = await serve((_, res) => void res.end(Buffer.alloc(300_000)));
    const answer = await policy().fetchLimited(url, {}, { maxBodyBytes: 200_000 });
    expect(await failureOf(answer.text())).toBe('result_too_large');
  });

  it('ends a decompression bomb by what comes out of it', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
    const url = await serve((_, res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const before = process.memoryUsage().rss;
    const answer = await policy().fetchLimited(url, {}, { maxBodyBytes: 1024 * 1024 });
    expect(await failureOf(answer.text())).toBe('result_too_large');
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  it('limits each event of a stream, not the stream', async () => {
    const url = await serve((req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      if (req.url === '/long') for (let i = 0; i < 100; i++) res.write(`data: ${'x'.repeat(5000)}\n\n`);
      else res.write(`data: ${'x'.repeat(50_000)}`);
      res.end();
    });
    const limits = { maxBodyBytes: 20_000 };
    expect((await (await policy().fetchLimited(`${url}/long`, {}, limits)).text()).length).toBeGreaterThan(
      500_000,
    );
    expect(await failureOf((await policy().fetchLimited(`${url}/huge`, {}, limits)).text())).toBe(
      'result_too_large',
    );
  });

  it('waits neither for headers nor for a body without end', async () => {
    const url = await serve((req, res) => {
      if (req.url === '/body') res.writeHead(200).write('beginning');
    });
    const limits = { headersTimeoutMs: 300, bodyIdleTimeoutMs: 300 };
    expect(await failureOf(policy().fetchLimited(url, {}, limits))).toBe('UND_ERR_HEADERS_TIMEOUT');
    const answer = await policy().fetchLimited(`${url}/body`, {}, limits);
    expect(await failureOf(answer.text())).toBe('UND_ERR_BODY_TIMEOUT');
  });

  it('tells whether the request was put on the wire', async () => {
    const sent: string[] = [];
    const url = await serve((req) => void req.socket.destroy());
    const call = (to: string) => failureOf(policy().fetchLimited(to, {}, { onSent: () => sent.push(to) }));
    const closed = await serve(() => undefined);
    await new Promise((resolve) => open.servers.pop()?.close(resolve));
    expect(await call(closed)).toBe('ECONNREFUSED');
    expect(sent).toEqual([]);
    expect(await call(url)).toBe('UND_ERR_SOCKET');
    expect(sent).toEqual([url]);
  });
});

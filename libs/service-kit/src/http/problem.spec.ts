import { request } from 'node:http';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Delete, Get, Module, NotFoundException, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { PlatformError } from '@switchyard/contracts';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { withLogContext } from '../logs/log-context.js';
import { type RunningService, startService } from '../service/start-service.js';
import { anyBodyType } from './other-bodies.js';
import { parseBody } from './parse.js';

@Controller()
class FailingController {
  @Post('parsed')
  parsed(@Body() body: unknown): unknown {
    return parseBody(z.strictObject({ name: z.string() }), body);
  }

  @Post('page')
  @RouteConfig(anyBodyType)
  page(@Body() body: unknown): unknown {
    return { had: body ?? null };
  }

  @Delete('parsed')
  removed(@Body() body: unknown): unknown {
    return { had: body ?? null };
  }

  @Get('limited')
  limited(): never {
    throw new PlatformError('rate_limited', { retryAfterMs: 1500, details: { limit: 10 } });
  }

  @Get('broken')
  broken(): never {
    throw new TypeError('secret inside: hunter2-canary');
  }

  @Get('call')
  call(): never {
    return withLogContext({ callId: '0190-call' }, () => {
      throw new PlatformError('deadline_exceeded', { details: { callId: '0190-call' } });
    });
  }

  @Get('nest')
  nest(): never {
    throw new NotFoundException('Nest says no');
  }

  @Get('streaming')
  async streaming(@Res() reply: FastifyReply): Promise<void> {
    reply.raw.write('first part');
    await Promise.resolve();
    throw new Error('in the middle');
  }
}

@Module({ controllers: [FailingController] })
class FailingModule {}

let service: RunningService;
let base: string;

beforeAll(async () => {
  const config = {
    name: 'failing',
    env: 'development',
    logLevel: 'silent',
    host: '127.0.0.1',
    opsPort: 0,
    httpPort: 0,
  } as const;
  service = await startService({ config, module: FailingModule, http: { bodyLimitBytes: 1000 } });
  base = `http://127.0.0.1:${service.httpPort}`;
});
afterAll(() => service.close());

async function post(body: string, contentType = 'application/json', path = 'parsed'): Promise<Response> {
  return fetch(`${base}/${path}`, { method: 'POST', body, headers: { 'content-type': contentType } });
}

async function problemOf(answer: Response | Promise<Response>): Promise<Record<string, unknown>> {
  const response = await answer;
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({
    status: response.status,
    title: expect.any(String),
    next: expect.any(String),
    type: `urn:switchyard:error:${String(problem.code)}`,
  });
  return problem;
}

describe('problem documents', () => {
  it.each([
    ['a body against its schema', () => post('{"name":1,"extra":2}'), 'invalid_request', 400],
    ['broken JSON', () => post('{"name":'), 'invalid_request', 400],
    ['an empty JSON body', () => post(''), 'invalid_request', 400],
    ['prototype poisoning', () => post('{"__proto__":{"a":1}}'), 'invalid_request', 400],
    ['an unknown content type', () => post('x', 'text/strange'), 'invalid_request', 400],
    [
      'a body over the limit',
      () => post(JSON.stringify({ name: 'x'.repeat(2000) })),
      'payload_too_large',
      413,
    ],
    ['an unknown route', () => fetch(`${base}/nowhere`), 'not_found', 404],
    ['a wrong method', () => fetch(`${base}/parsed`, { method: 'PATCH' }), 'not_found', 404],
    ['a malformed URL', () => fetch(`${base}/%zz`), 'invalid_request', 400],
    ['an error of Nest', () => fetch(`${base}/nest`), 'not_found', 404],
    ['an error of ours', () => fetch(`${base}/limited`), 'rate_limited', 429],
    ['an unexpected error', () => fetch(`${base}/broken`), 'internal', 500],
  ])('answer %s', async (_what, send, code, status) => {
    expect(await problemOf(send())).toMatchObject({ code, status, request_id: expect.any(String) });
  });

  it('name the fields of a refused body', async () => {
    const { errors } = await problemOf(post('{"name":1}'));
    expect(errors).toEqual([{ path: 'name', message: expect.stringContaining('string') }]);
  });

  it('say of broken JSON what it is, and repeat nothing of it', async () => {
    const problem = await problemOf(post('{"token": canary-in-body}'));
    expect(problem.detail).toContain('The body is not valid JSON.');
    expect(JSON.stringify(problem)).not.toContain('canary');
  });

  it('are none for an empty body that is called JSON: it is no body', async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${base}/parsed`, { method: 'DELETE', headers });
    expect([answer.status, await answer.json()]).toEqual([200, { had: null }]);
    expect(await problemOf(post(''))).toMatchObject({ errors: [{ path: 'name' }] });
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain', 'foo', '', 'application/x-ndjson'])(
    'say of a body of type "%s" that it has to be JSON',
    async (type) => {
      const problem = await problemOf(post('{"name":"a"}', type));
      expect(problem).toMatchObject({ status: 400, code: 'invalid_request' });
      for (const said of [problem.detail, problem.next])
        expect(said).toContain('Content-Type: application/json');
      expect(problem).not.toHaveProperty('errors');
    },
  );

  it('are none for an empty body of any type', async () => {
    const answer = await post('', 'application/x-www-form-urlencoded');
    expect(await problemOf(answer)).toMatchObject({ errors: [{ path: 'name' }] });
  });

  it('say of a route that is not there just that, whatever the type of the body', async () => {
    const answer = await post('a=b', 'application/x-www-form-urlencoded', 'nowhere');
    expect(await problemOf(answer)).toMatchObject({ status: 404, code: 'not_found' });
  });

  it.each([
    ['application/x-www-form-urlencoded', 'a=b+c&d=1&d=2', { a: 'b c', d: ['1', '2'] }],
    ['application/x-www-form-urlencoded;charset=UTF-8', '__proto__=x', { ['__proto__']: 'x' }],
    ['text/plain', 'a=b', 'a=b'],
    ['foo', 'a=b', 'a=b'],
  ])('are none for a body of type %s on a route that takes any', async (type, sent, had) => {
    const answer = await post(sent, type, 'page');
    expect([answer.status, await answer.text()]).toEqual([201, JSON.stringify({ had })]);
  });

  it('say when to come back, to programs and to HTTP', async () => {
    const answer = await fetch(`${base}/limited`);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(await problemOf(answer)).toMatchObject({ retry_after_ms: 1500, details: { limit: 10 } });
  });

  it('carry the call id', async () => {
    expect(await problemOf(fetch(`${base}/call`))).toMatchObject({ call_id: '0190-call' });
  });

  it('keep the cause of an internal error inside', async () => {
    expect(JSON.stringify(await problemOf(fetch(`${base}/broken`)))).not.toContain('hunter2');
  });

  it('answer bytes that are no HTTP', async () => {
    const socket = createConnection({ host: '127.0.0.1', port: service.httpPort ?? 0 });
    socket.write('NOT HTTP AT ALL\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toContain('HTTP/1.1 400');
    expect(answer).toContain('"code":"invalid_request"');
  });

  it.each(['all of', 'only the beginning of'])(
    'reach a caller that sends %s a body that is too large, and reads only then',
    async (part) => {
      const size = 20 * 1024 * 1024;
      const socket = createConnection({ host: '127.0.0.1', port: service.httpPort ?? 0 });
      const head = `POST /parsed HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`;
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.write(head + ' '.repeat(part === 'all of' ? size : 10), () => resolve());
      });
      const answer = await text(socket);
      expect(answer).toContain('HTTP/1.1 413');
      expect(answer).toContain('"code":"payload_too_large"');
    },
  );

  it('cut a stream that has begun, and the service lives on', async () => {
    await expect(fetch(`${base}/streaming`).then((answer) => answer.text())).rejects.toThrow();
    expect((await fetch(`${base}/nowhere`)).status).toBe(404);
  });

  it('answer a caller that goes away in the middle of its body with nothing worse', async () => {
    const gone = request(`${base}/parsed`, {
      method: 'POST',
      headers: { 'content-length': '500', 'content-type': 'application/json' },
    });
    gone.on('error', () => undefined);
    gone.write('{"na', () => gone.destroy());
    await new Promise((resolve) => gone.once('close', resolve));
    expect((await fetch(`${base}/nowhere`)).status).toBe(404);
  });
});

describe('the operations port', () => {
  it('answers health, readiness, metrics with a request counted, and nothing else', async () => {
    const ops = `http://127.0.0.1:${service.opsPort}`;
    const statuses = await Promise.all(
      ['/healthz', '/readyz', '/metrics', '/nope'].map(async (path) => (await fetch(ops + path)).status),
    );
    expect(statuses).toEqual([200, 200, 200, 404]);
    const metrics = await (await fetch(`${ops}/metrics`)).text();
    expect(metrics).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/limited",status="429"\}/,
    );
  });
});

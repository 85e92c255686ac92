import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { workOf } from '@switchyard/testing';
import { Secret } from '../config/secret.js';
import { createLogger, type Log } from './log.js';
import { withLogContext } from './log-context.js';
import { scrub } from './redact.js';

function captured(use: (log: Log) => void): string {
  const lines: string[] = [];
  use(
    createLogger('test', { level: 'trace', destination: { write: (line: string) => void lines.push(line) } }),
  );
  return lines.join('');
}

const canary = 'canary4f1e9b7c2d';
const jwt = `eyJhbGciOiJub25lIn0.${canary}.${canary}`;

/** Shapes in which a secret comes by, each holding the canary. */
const places: [string, (log: Log) => void][] = [
  ['a header object', (log) => log.info({ headers: { 'x-custom': canary } }, 'x')],
  ['a nested authorization field', (log) => log.info({ request: { deep: [{ Authorization: canary }] } }, 'x')],
  ['fields by their endings', (log) => log.info({ accessToken: canary, client_secret: canary, dbPassword: canary }, 'x')],
  ['arguments of a call', (log) => log.info({ job: { arguments: { text: canary } } }, 'x')],
  ['a child logger', (log) => log.child({ apiKey: canary }).info('x')],
  ['a bearer token in a message', (log) => log.info(`sent Bearer ${canary}`)],
  ['a virtual key in a message', (log) => log.warn(`no such key vk_${canary}`)],
  ['a JWT in an error', (log) => log.error({ err: new Error(`bad token ${jwt}`) }, 'x')],
  ['what a cut left of a JWT', (log) => log.info(`got eyJhbGciOiJub25lIn0.${canary}`)],
  ['a password with colons in it', (log) => log.info(`postgres://u:a:${canary}:b@h/db`)],
  ['an error as the first argument', (log) => log.error(new Error(`postgres://u:${canary}@h/db refused`))],
  ['the cause of a cause', (log) => log.error({ err: new Error('a', { cause: new Error('b', { cause: new Error(`token=Bearer ${canary}`) }) }) }, 'x')],
  ['fields that a driver puts on an error', (log) => log.error({ err: Object.assign(new Error('a'), { parameters: [canary], query: canary, command: { args: [canary] } }) }, 'x')],
  ['details of a platform error', (log) => log.error({ err: new PlatformError('internal', { details: { note: canary }, cause: { token: canary } }) }, 'x')],
  ['aggregated errors', (log) => log.error({ err: new AggregateError([new Error(`Basic ${canary}`)]) }, 'x')],
  ['a Secret', (log) => log.info({ value: new Secret(canary), text: new Secret(canary) }, `${new Secret(canary)}`)],
  ['a query string', (log) => log.info({ url: `https://h/cb?code=${canary}&access_token=${canary}` }, 'x')],
  ['a Map', (log) => log.info({ map: new Map([['a', { token: canary }]]) }, 'x')],
]; // prettier-ignore

describe('the log', () => {
  it.each(places)('hides a secret in %s', (_place, use) => {
    const text = captured(use);
    expect(text).toContain('"service":"test"');
    expect(text).not.toContain(canary);
  });

  it('hides a configured secret wherever a library repeats it, JSON-escaped too', () => {
    const value = new Secret('quo"ted\\canary');
    const url = new Secret('postgres://u:p%40ss-canary@h/db');
    const text = captured((log) =>
      log.error({ err: new Error(`login ${value.reveal()} p@ss-canary ${url.reveal()}`) }, value.reveal()),
    );
    expect(text).not.toContain('canary');
  });

  it.each([
    ['colons in a URL', `a://${':'.repeat(50_000)}`],
    ['beginnings of URLs', 'a://:'.repeat(20_000)],
    ['beginnings of a JWT', 'eyJaaaaaaaa-'.repeat(8_000)],
    ['blanks behind Bearer', `Bearer ${' '.repeat(100_000)}`],
    ['names of parameters', `?${'token'.repeat(20_000)}`],
  ])('costs little for a line with many %s', (_what, line) => {
    expect(workOf(() => scrub(line))).toBeLessThan(200);
  });

  it('keeps what helps: ids, codes, counts, messages', () => {
    const fields = { callId: 'c-1', keyId: 'k-1', tokenCount: 3, code: 'ECONNREFUSED', attempt: 2 };
    const line = JSON.parse(captured((log) => log.info(fields, 'hello'))) as Record<string, unknown>;
    expect(line).toMatchObject({ ...fields, msg: 'hello', level: 'info', service: 'test' });
  });

  it('survives loops and depth', () => {
    const loop: Record<string, unknown> = { name: 'x' };
    loop.self = loop;
    expect(captured((log) => log.info({ loop }, 'still here'))).toContain('still here');
  });

  it('carries the context of the call over awaits, and drops it after', async () => {
    const lines: string[] = [];
    const log = createLogger('test', { destination: { write: (line: string) => void lines.push(line) } });
    await withLogContext({ callId: 'c-1' }, async () => {
      await Promise.resolve();
      withLogContext({ requestId: 'r-1' }, () => log.info('inside'));
    });
    log.info('outside');
    const [inside, outside] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(inside).toMatchObject({ callId: 'c-1', requestId: 'r-1' });
    expect(outside).not.toHaveProperty('callId');
  });
});

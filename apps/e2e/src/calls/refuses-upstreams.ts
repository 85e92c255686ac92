import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { eventually, freePort, startFixtureUpstream } from '@switchyard/testing';
import type { Integration } from '../harness/admin-api.js';
import { undoAfterAll } from '../harness/connected-fixture.js';
import type { Switchyard } from '../harness/switchyard.js';

/** Upstreams that cannot be registered, and those that turn out to be no good. */
export function refusesUpstreams(switchyard: () => Switchyard): void {
  describe('a bad upstream', () => {
    const undo = undoAfterAll();

    /** Registers it and waits until its first sync has failed. */
    const failed = async (slug: string, url: string): Promise<Integration> => {
      const { admin } = switchyard();
      const { id } = await admin.register(slug, url);
      undo(() => admin.send('DELETE', `/api/integrations/${id}`));
      return eventually(
        async () => {
          const integration = await admin.integration(id);
          return integration.last_failure !== null && integration;
        },
        { timeoutMs: 40_000, intervalMs: 100 },
      );
    };

    it('that nobody listens at is disconnected, with the reason', async () => {
      expect(await failed('nobody', `http://127.0.0.1:${await freePort()}/mcp`)).toMatchObject({
        state: 'disconnected',
        tool_count: 0,
        last_failure: { stage: 'connect', code: 'upstream_unreachable', message: expect.any(String) },
      });
    });

    it('that speaks no MCP is disconnected, with the reason', async () => {
      const page = await startPage('<!doctype html><title>Shop</title>');
      undo(() => void page.close());
      expect(
        await failed('shop', `http://127.0.0.1:${(page.address() as AddressInfo).port}/mcp`),
      ).toMatchObject({
        state: 'disconnected',
        last_failure: { code: 'upstream_protocol_error' },
      });
    });

    it('whose list never ends is disconnected, with the reason', async () => {
      const endless = await startFixtureUpstream({ endlessList: true });
      undo(() => endless.close());
      expect(await failed('endless', endless.url)).toMatchObject({
        state: 'disconnected',
        tool_count: 0,
        last_failure: { stage: 'list', code: 'upstream_protocol_error' },
      });
    });

    it('that wants a credential is needs_reauth', async () => {
      const locked = await startFixtureUpstream({ requiredHeaders: { 'x-token': 'open sesame' } });
      undo(() => locked.close());
      expect(await failed('locked', locked.url)).toMatchObject({ last_failure: { code: 'upstream_denied' } });
    });

    it('with the slug of another is slug_taken', async () => {
      const { admin } = switchyard();
      const { id } = await admin.register('twice', 'http://127.0.0.1:9/mcp', { enabled: false });
      undo(() => admin.send('DELETE', `/api/integrations/${id}`));
      const body = { slug: 'twice', transport: { type: 'http', url: 'http://127.0.0.1:9/other' } };
      expect(await admin.send('POST', '/api/integrations', body)).toMatchObject({
        status: 409,
        body: { code: 'slug_taken' },
      });
    });

    it.each([
      ['a shell', { command: '/bin/sh', args: ['-c', 'id'] }],
      ['npx', { command: 'npx', args: ['-y', 'evil'] }],
      ['an allowed command with more arguments', { command: 'filesystem', args: ['/'] }],
      ['an allowed program with other arguments', { command: process.execPath, args: ['-e', '1'] }],
      ['a relative path', { command: '../../bin/sh', args: [] }],
    ])('over stdio that is %s is stdio_not_allowed', async (_, program) => {
      const body = { slug: 'shell', transport: { type: 'stdio', ...program } };
      const answer = await switchyard().admin.send('POST', '/api/integrations', body);
      expect(answer).toMatchObject({ status: 403, body: { code: 'stdio_not_allowed' } });
    });

    it.each([
      ['an unknown transport', { slug: 'x', transport: { type: 'carrier-pigeon' } }],
      ['no URL', { slug: 'x', transport: { type: 'http' } }],
      ['a slug with a blank', { slug: 'a b', transport: { type: 'http', url: 'http://127.0.0.1:9/' } }],
      [
        'a field that is not there',
        { slug: 'x', transport: { type: 'http', url: 'http://127.0.0.1:9/' }, surprise: 1 },
      ],
    ])('with %s is invalid_request, and says where', async (_, body) => {
      const answer = await switchyard().admin.send('POST', '/api/integrations', body);
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'invalid_request', errors: expect.arrayContaining([expect.anything()]) },
      });
    });
  });
}

async function startPage(html: string): Promise<Server> {
  const server = createServer(
    (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(html),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

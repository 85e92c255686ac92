import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { eventually, freePort, signIn, TestBrowser, workspaceRoot } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { openToUsers } from '../identity/protected-integration.js';

/** The reference host application, as its README starts it. */
export function hostsAnAgent(switchyard: () => Switchyard, people: () => People): void {
  describe('the example agent-host', () => {
    const undo = undoAfterAll();

    it('lets a model choose tools, and shows it what became of them', async () => {
      await connectFixture(switchyard(), 'chosen', undo);
      await openToUsers(switchyard(), 'chosen', undo);
      const asked: Asked[] = [];
      const model = await startModel(asked, undo);
      const origin = await startHost(switchyard(), people(), undo, { MODEL_URL: model, MODEL: 'scripted' });
      const browser = new TestBrowser();
      const begun = await browser.request(`${origin}/login`);
      await browser.request(await signIn({ url: begun.headers.get('location') ?? '', user: 'carol' }));
      const body = JSON.stringify({ text: 'say hello' });
      const answer = await eventually(async () => {
        const response = await browser.request(`${origin}/chat`, { method: 'POST', body });
        const { text } = (await response.json()) as { text?: string };
        return text === 'The tool said: Echo: hello' && text;
      });
      expect(answer).toBeTruthy();
      const { tools, messages } = asked.at(-1) as Asked;
      expect(tools.map((tool) => tool.function.name)).toContain('chosen_echo');
      expect(messages.slice(-3).map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
    });

    it('signs a user in, shows their tools, calls one as them, and lets them go', async () => {
      const { upstream } = await connectFixture(switchyard(), 'hosted', undo);
      await openToUsers(switchyard(), 'hosted', undo);
      const origin = await startHost(switchyard(), people(), undo);
      const browser = new TestBrowser();
      const json = async (path: string, body?: object): Promise<Record<string, unknown>> => {
        const init = body && { method: 'POST', body: JSON.stringify(body) };
        return (await browser.request(`${origin}${path}`, init)).json() as Promise<Record<string, unknown>>;
      };
      expect(await json('/me')).toEqual({ user: null });
      expect(await json('/chat', { text: '/tools' })).toEqual({ error: 'Sign in first.' });
      const page = await browser.request(`${origin}/`);
      expect([page.status, page.headers.get('content-security-policy')]).toEqual([
        ...[200, expect.stringContaining("default-src 'self'")],
      ]);

      const begun = await browser.request(`${origin}/login`);
      const callback = await signIn({ url: begun.headers.get('location') ?? '', user: 'bob' });
      const thief = await new TestBrowser().request(callback);
      expect([thief.status, thief.headers.getSetCookie()]).toEqual([502, []]);
      const again = await browser.request(`${origin}/login`);
      const own = await signIn({ url: again.headers.get('location') ?? '', user: 'bob' });
      expect((await browser.request(own)).status).toBe(303);
      expect(await json('/me')).toEqual({ user: 'bob' });

      await eventually(async () =>
        String((await json('/chat', { text: '/tools' }))['text']).includes('hosted_echo'),
      );
      const answer = await json('/chat', { text: '/tool hosted_echo {"message":"hello"}' });
      expect(answer).toEqual({ text: 'Echo: hello', connect: [] });
      expect(await json('/chat', { text: 'hello' })).toMatchObject({
        text: expect.stringMatching(/No model/),
      });
      expect(upstream.requests).toContain('tools/call');

      const events = await browser.request(`${origin}/events`);
      const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
      let seen = '';
      while (!seen.includes('hosted_echo')) seen += (await reader?.read())?.value ?? '';
      expect(seen).toContain('event: tool_list');
      await reader?.cancel();

      const foreign = await browser.request(`${origin}/logout`, {
        ...{ method: 'POST', headers: { origin: 'https://evil.example' } },
      });
      expect(foreign.status).toBe(403);
      await json('/logout', {});
      expect(await json('/me')).toEqual({ user: null });
    });
  });
}

async function startHost(
  switchyard: Switchyard,
  people: People,
  undo: (step: () => Promise<unknown>) => void,
  more: Record<string, string> = {},
): Promise<string> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const clientId = `agent-host-${port}`;
  people.identityProvider.addClient({ client_id: clientId, redirect_uris: [`${origin}/callback`] });
  const host = spawn(process.execPath, ['docs/examples/agent-host/main.ts'], {
    cwd: workspaceRoot(),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...{ PATH: process.env['PATH'], PORT: String(port), SWITCHYARD_URL: switchyard.origin() },
      ...{ ISSUER: people.identityProvider.issuer, CLIENT_ID: clientId, SWITCHYARD_DATA_DIR: '/nowhere' },
      ...more,
    },
  });
  undo(() => end(host));
  const [line] = (await once(host.stdout, 'data')) as [Buffer];
  expect(String(line)).toContain(origin);
  return origin;
}

type Asked = {
  readonly messages: readonly { role: string; content: string | null }[];
  readonly tools: readonly { function: { name: string } }[];
};

/** An OpenAI-compatible model that asks for `chosen_echo` once, and repeats what it said. */
async function startModel(asked: Asked[], undo: (step: () => Promise<unknown>) => void): Promise<string> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const question = JSON.parse(body) as Asked;
      asked.push(question);
      const last = question.messages.at(-1);
      const call = { name: 'chosen_echo', arguments: '{"message":"hello"}' };
      const message =
        last?.role === 'tool'
          ? { role: 'assistant', content: `The tool said: ${last.content}` }
          : {
              role: 'assistant',
              content: null,
              tool_calls: [{ id: 'c1', type: 'function', function: call }],
            };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ choices: [{ message }] }));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  undo(async () => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

async function end(host: ChildProcess): Promise<void> {
  if (host.exitCode !== null) return;
  const ended = once(host, 'exit');
  host.kill('SIGTERM');
  await ended;
}

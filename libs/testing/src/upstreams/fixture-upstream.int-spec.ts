import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport as LegacyTransportType } from '@modelcontextprotocol/sdk/shared/transport.js';
import { eventually } from '../eventually.js';
import { fixtureTools } from './fixture-tools.js';
import { spawnFixtureUpstream } from './spawn-fixture-upstream.js';
import { startConformanceUpstream } from './start-conformance-upstream.js';
import { startFixtureUpstream, type FixtureOptions, type FixtureUpstream } from './start-fixture-upstream.js';

jest.setTimeout(60_000);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function upstreamOf(options: FixtureOptions = {}): Promise<FixtureUpstream> {
  const upstream = await startFixtureUpstream(options);
  closing.push(() => upstream.close());
  return upstream;
}

/** What both generations of the official client have in common. */
type OfficialClient = Pick<Client, 'close'> & {
  listTools: () => Promise<{ tools: { name: string }[] }>;
  callTool: (call: { name: string; arguments?: Record<string, unknown> }) => Promise<Record<string, unknown>>;
};

async function modernClient(url: string, mode: 'auto' | 'legacy' = 'auto'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  closing.push(() => client.close());
  return client;
}

async function legacyClient(url: string): Promise<LegacyClient> {
  const client = new LegacyClient({ name: 'test', version: '1' });
  await client.connect(new LegacyTransport(new URL(url)) as LegacyTransportType);
  closing.push(() => client.close());
  return client;
}

describe.each<[string, FixtureOptions, (url: string) => Promise<OfficialClient>]>([
  ['SDK 2, modern', { era: 'modern' }, modernClient],
  ['SDK 2, auto', { era: 'both' }, modernClient],
  ['SDK 2, falling back', { era: 'legacy' }, modernClient],
  ['SDK 2, legacy', { era: 'both' }, (url) => modernClient(url, 'legacy')],
  ['SDK 1', { era: 'legacy' }, legacyClient as never],
  ['SDK 1, JSON', { era: 'both', responses: 'json' }, legacyClient as never],
])('the official client of %s', (_, options, connect) => {
  it('lists and calls', async () => {
    const upstream = await upstreamOf({ ...options, generated: 3 });
    const client = await connect(upstream.url);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toEqual([
      ...fixtureTools().map(({ wire }) => wire.name),
      'tool-0001',
      'tool-0002',
      'tool-0003',
    ]);
    expect(await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } })).toMatchObject({
      structuredContent: { sum: 3 },
    });
    expect(await client.callTool({ name: 'fail' })).toMatchObject({ isError: true });
    await client.callTool({ name: 'count-side-effect', arguments: { id: 'x' } });
    expect(upstream.callsOf('count-side-effect')).toMatchObject([{ arguments: { id: 'x' } }]);
    await expect(client.callTool({ name: 'protocol-error' })).rejects.toMatchObject({ code: -32050 });
  });
});

describe('the fixture upstream', () => {
  it('speaks the era that it is told to', async () => {
    expect((await modernClient((await upstreamOf({ era: 'both' })).url)).getProtocolEra()).toBe('modern');
    expect((await modernClient((await upstreamOf({ era: 'legacy' })).url)).getProtocolEra()).toBe('legacy');
    await expect(legacyClient((await upstreamOf({ era: 'modern' })).url)).rejects.toThrow();
  });

  it('forgets sessions', async () => {
    const upstream = await upstreamOf();
    const client = await legacyClient(upstream.url);
    expect(upstream.sessionCount()).toBe(1);
    await upstream.forgetSessions();
    await expect(client.listTools()).rejects.toThrow(/not found/i);
  });

  it('fails as it is told, so often, for that method alone', async () => {
    const upstream = await upstreamOf();
    const client = await legacyClient(upstream.url);
    upstream.failNext({ method: 'tools/call', status: 503, count: 2 });
    await expect(client.callTool({ name: 'echo' })).rejects.toThrow();
    await client.listTools();
    await expect(client.callTool({ name: 'echo' })).rejects.toThrow();
    await expect(client.callTool({ name: 'echo', arguments: { message: 'x' } })).resolves.toBeDefined();
  });

  it('demands headers', async () => {
    const upstream = await upstreamOf({ requiredHeaders: { authorization: 'Bearer t' } });
    await expect(legacyClient(upstream.url)).rejects.toThrow();
    expect((await fetch(upstream.url, { method: 'POST' })).headers.get('www-authenticate')).toContain(
      'Bearer',
    );
  });

  it('tells clients that its tools changed', async () => {
    const upstream = await upstreamOf();
    let changes = 0;
    const client = await legacyClient(upstream.url);
    client.fallbackNotificationHandler = async () => void changes++;
    await eventually(async () => {
      await upstream.setTools([]);
      return changes > 0;
    });
    expect((await client.listTools()).tools).toEqual([]);
  });

  it('runs as a process, survives its own restart on a port, and is steered from outside', async () => {
    const first = await spawnFixtureUpstream(['--generated', '2', '--bearer', 't']);
    await first.kill();
    const second = await spawnFixtureUpstream(['--port', String(first.port)]);
    closing.push(() => second.kill());
    expect(second.url).toBe(first.url);
    const client = await legacyClient(second.url);
    await client.callTool({ name: 'count-side-effect', arguments: { id: 'x' } });
    expect(await second.control('calls')).toMatchObject([
      { tool: 'count-side-effect', arguments: { id: 'x' } },
    ]);
    await second.control('remove-tools', ['echo']);
    expect((await client.listTools()).tools.some(({ name }) => name === 'echo')).toBe(false);
  });
});

describe('the conformance upstream', () => {
  it('has the tools that the suite calls, named without test_', async () => {
    const upstream = await startConformanceUpstream();
    closing.push(() => upstream.close());
    const client = await modernClient(upstream.url);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    for (const name of [
      'simple_text',
      'image_content',
      'audio_content',
      'embedded_resource',
      'multiple_content_types',
      'error_handling',
      'tool_with_progress',
    ]) {
      expect(names).toContain(name);
    }
    expect(await client.callTool({ name: 'simple_text' })).toMatchObject({
      content: [{ type: 'text', text: 'This is a simple text response for testing.' }],
    });
  });
});

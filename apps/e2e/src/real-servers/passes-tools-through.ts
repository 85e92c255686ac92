import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type McpPeer, type PeerResult, type PeerTool, sdkNames, sdks } from '../harness/mcp-peers.js';
import { bearer } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';
import {
  connectDirectly,
  type DirectServers,
  sampleFiles,
  type SampleSlug,
  sampleSlugs,
} from './direct-servers.js';

type Call = {
  server: SampleSlug;
  tool: string;
  args?: (files: string) => Record<string, unknown>;
  shows: (result: PeerResult) => unknown;
};

const onePixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==',
  'base64',
);

/** `shows` says what the call is for, so that two equal but empty results do not pass. */
const calls: Call[] = [
  { server: 'everything', tool: 'echo', args: () => ({ message: 'grüße' }), shows: contentOf('text') },
  { server: 'everything', tool: 'get-sum', args: () => ({ a: 2, b: 40 }), shows: contentOf('text') },
  { server: 'everything', tool: 'get-tiny-image', shows: contentOf('image') },
  {
    server: 'everything',
    tool: 'get-annotated-message',
    args: () => ({ messageType: 'error', includeImage: true }),
    shows: contentOf('image'),
  },
  {
    server: 'everything',
    tool: 'get-resource-links',
    args: () => ({ count: 3 }),
    shows: contentOf('resource_link'),
  },
  {
    server: 'everything',
    tool: 'get-resource-reference',
    args: () => ({ resourceType: 'Text', resourceId: 1 }),
    shows: contentOf('resource'),
  },
  {
    server: 'everything',
    tool: 'get-resource-reference',
    args: () => ({ resourceType: 'Blob', resourceId: 2 }),
    shows: contentOf('resource'),
  },
  {
    server: 'everything',
    tool: 'get-structured-content',
    args: () => ({ location: 'Chicago' }),
    shows: structured,
  },
  {
    server: 'everything',
    tool: 'get-resource-reference',
    args: () => ({ resourceType: 'Text', resourceId: -1 }),
    shows: isError,
  },
  {
    server: 'filesystem',
    tool: 'read_text_file',
    args: (files) => ({ path: join(files, 'welcome.txt') }),
    shows: structured,
  },
  {
    server: 'filesystem',
    tool: 'read_media_file',
    args: (files) => ({ path: join(files, 'pixel.png') }),
    shows: contentOf('image'),
  },
  { server: 'filesystem', tool: 'list_directory', args: (files) => ({ path: files }), shows: structured },
  {
    server: 'filesystem',
    tool: 'read_text_file',
    args: (files) => ({ path: join(files, 'nowhere.txt') }),
    shows: isError,
  },
  { server: 'filesystem', tool: 'read_text_file', args: () => ({ path: '/etc/passwd' }), shows: isError },
  { server: 'memory', tool: 'create_entities', args: () => ({ entities: [bert] }), shows: structured },
  {
    server: 'memory',
    tool: 'add_observations',
    args: () => ({ observations: [{ entityName: 'Bert', contents: ['is tall'] }] }),
    shows: structured,
  },
  { server: 'memory', tool: 'read_graph', shows: structured },
  {
    server: 'memory',
    tool: 'add_observations',
    args: () => ({ observations: [{ entityName: 'Nobody', contents: ['x'] }] }),
    shows: isError,
  },
  { server: 'memory', tool: 'delete_entities', args: () => ({ entityNames: ['Bert'] }), shows: structured },
];
const bert = { name: 'Bert', entityType: 'person', observations: ['likes pigeons'] };

/** Through Switchyard, a client sees and gets what it would see and get without it. */
export function passesToolsThrough(switchyard: () => Switchyard): void {
  describe.each(sdkNames)('an %s client', (sdk) => {
    let peer: McpPeer;
    let direct: DirectServers;

    beforeAll(async () => {
      const { mcpUrl, dev } = switchyard();
      writeFileSync(join(sampleFiles(switchyard()), 'pixel.png'), onePixel);
      peer = await sdks[sdk].overHttp(mcpUrl, { headers: bearer(dev.virtual_key ?? '') });
      direct = await connectDirectly(switchyard(), sdk);
    });
    afterAll(async () => {
      await peer?.close();
      await direct?.close();
    });

    it('speaks its newest revision', () => {
      expect(peer.protocolVersion()).toBe(sdk === 'SDK 1.x' ? '2025-11-25' : '2026-07-28');
    });

    it.each(sampleSlugs)('lists the tools of %s as they are, but for their names', async (slug) => {
      const own = (await peer.listTools()).filter(({ name }) => name.startsWith(`${slug}_`));
      const expected = (await direct[slug].listTools()).map((tool) => ({
        ...tool,
        name: `${slug}_${tool.name}`,
      }));
      expect(comparableList(own)).toEqual(comparableList(expected));
    });

    it.each(calls.map((call) => [call.server, call.tool, call] as const))(
      'gets from %s %s what a direct client gets',
      async (_, __, call) => {
        const args = call.args?.(sampleFiles(switchyard())) ?? {};
        const expected = comparable(await direct[call.server].callTool(call.tool, args));
        const result = comparable(await peer.callTool(`${call.server}_${call.tool}`, args));
        expect(call.shows(expected)).toBeTruthy();
        expect(withOwnUris(result, call.server)).toEqual(expected);
      },
    );
  });
}

/** `execution` speaks of the tasks of 2025-11-25: it is lost where either side of Switchyard speaks a later revision. */
function comparableList(tools: PeerTool[]): PeerTool[] {
  return tools
    .map(({ execution: _, ...tool }): PeerTool => tool)
    .toSorted((one, other) => one.name.localeCompare(other.name));
}

/** Resources are read through Switchyard by URIs that say whose they are. */
function withOwnUris(result: PeerResult, server: string): PeerResult {
  return JSON.parse(JSON.stringify(result).replaceAll(`"uri":"sy.${server}+`, '"uri":"')) as PeerResult;
}

/** Less the time of day that server-everything writes into its resources, and what concerns one connection alone. */
function comparable({ _meta, ...result }: PeerResult): PeerResult {
  const text = JSON.stringify(result, (key, value: unknown) =>
    key === 'blob' ? Buffer.from(String(value), 'base64').toString() : value,
  );
  return JSON.parse(text.replaceAll(/\d+:\d\d:\d\d [AP]M/g, 'now')) as PeerResult;
}

function contentOf(type: string) {
  return (result: PeerResult): boolean => result.content?.some((part) => part.type === type) ?? false;
}

function structured(result: PeerResult): unknown {
  return result.structuredContent;
}

function isError(result: PeerResult): unknown {
  return result.isError;
}

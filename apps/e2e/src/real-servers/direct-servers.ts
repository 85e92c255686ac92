import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type McpPeer, type Program, type SdkName, sdks } from '../harness/mcp-peers.js';
import type { Switchyard } from '../harness/switchyard.js';

export const sampleSlugs = ['everything', 'filesystem', 'memory'] as const;
export type SampleSlug = (typeof sampleSlugs)[number];

/** A client of each sample server that goes past Switchyard. */
export type DirectServers = Record<SampleSlug, McpPeer> & { close(): Promise<void> };

/** The memory server gets a file of its own, so that it begins as empty as Switchyard's. */
export async function connectDirectly(switchyard: Switchyard, sdk: SdkName): Promise<DirectServers> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-e2e-memory-'));
  const programs = samplePrograms(switchyard.dataFolder);
  const everything = await sdks[sdk].overHttp(await everythingUrl(switchyard));
  const filesystem = await sdks[sdk].overStdio(programs.filesystem);
  const memory = await sdks[sdk].overStdio({
    ...programs.memory,
    env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') },
  });
  return {
    everything,
    filesystem,
    memory,
    close: async () => {
      await Promise.all([everything, filesystem, memory].map((peer) => peer.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The folder that server-filesystem serves. */
export function sampleFiles(switchyard: Switchyard): string {
  return join(switchyard.dataFolder, 'samples/files');
}

function samplePrograms(dataFolder: string): Record<'filesystem' | 'memory', Program> {
  const entries = JSON.parse(readFileSync(join(dataFolder, 'stdio-allowlist.json'), 'utf8')) as ({
    name: string;
  } & Program)[];
  const programOf = (wanted: string): Program => {
    const { command, args } = entries.find(({ name }) => name === wanted) ?? { command: '', args: [] };
    return { command, args };
  };
  return { filesystem: programOf('filesystem'), memory: programOf('memory') };
}

async function everythingUrl({ admin }: Switchyard): Promise<string> {
  const url = (await admin.integrations()).find(({ slug }) => slug === 'everything')?.transport.url;
  if (!url) throw new Error('server-everything is not registered');
  return url;
}

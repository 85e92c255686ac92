/** Registers the samples through the public API, waits for them, and makes one call through the queue. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writePrivateFile } from './data-folder.ts';
import { type Api, ApiError, apiClient } from './http-client.ts';
import type { Sample } from './sample-servers.ts';

/** What a start remembers for the next. */
export type Remembered = {
  virtualKey?: string;
  everythingPort?: number;
  demoModelPort?: number;
  demoModelKey?: string;
  /** Whether the sample agent was made once. */
  hasAgent?: boolean;
};

type Integration = {
  id: string;
  slug: string;
  state: string;
  transport?: { url?: string };
  last_failure?: { message?: string } | null;
};
type Page = { items: Integration[]; next_cursor: string | null };

const connectLimitMs = 60_000;

export function readRemembered(dataFolder: string): Remembered {
  const file = join(dataFolder, 'samples.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Remembered) : {};
}

export function writeRemembered(dataFolder: string, remembered: Remembered): void {
  writePrivateFile(join(dataFolder, 'samples.json'), `${JSON.stringify(remembered, null, 2)}\n`);
}

/** Registers what is not there, and mends what moved to another port. */
export async function registerSamples(admin: Api, samples: Sample[]): Promise<void> {
  const known = new Map(
    (await listIntegrations(admin)).map((integration) => [integration.slug, integration]),
  );
  for (const sample of samples) {
    const existing = known.get(sample.slug);
    if (!existing) await admin('POST', '/api/integrations', { ...sample, auth_mode: 'none' });
    else if (sample.transport.url && existing.transport?.url !== sample.transport.url) {
      await admin('PATCH', `/api/integrations/${existing.id}`, { transport: sample.transport });
    }
  }
}

/** Waits until the samples are connected; gives what is wrong with those that are not. */
export async function waitUntilConnected(admin: Api, samples: Sample[]): Promise<string[]> {
  const slugs = new Set(samples.map(({ slug }) => slug));
  for (const giveUpAt = Date.now() + connectLimitMs; ; await delay(150)) {
    const missing = (await listIntegrations(admin)).filter(
      ({ slug, state }) => slugs.has(slug) && state !== 'connected',
    );
    if (missing.length === 0) return [];
    if (Date.now() > giveUpAt)
      return missing.map(
        ({ slug, state, last_failure: failure }) =>
          `${slug} is ${state}: ${failure?.message ?? 'no reason yet'}`,
      );
  }
}

async function listIntegrations(admin: Api): Promise<Integration[]> {
  const found: Integration[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page = await admin<Page>(
      'GET',
      `/api/integrations?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    found.push(...page.items);
    cursor = page.next_cursor;
  }
  return found;
}

/** A key for all samples. The registry shows it once. */
export async function createVirtualKey(admin: Api, samples: Sample[]): Promise<string> {
  const { key } = await admin<{ key: string }>('POST', '/api/virtual-keys', {
    name: 'npm start',
    mcp_configs: configsOf(samples),
  });
  return key;
}

/** Lets everybody who signs in use all samples. Asked for once: whoever takes it away again meant it. */
export async function createPolicy(admin: Api, samples: Sample[]): Promise<void> {
  await admin('POST', '/api/policies', {
    name: 'Sample servers of npm start',
    roles: null,
    mcp_configs: configsOf(samples),
  });
}

function configsOf(samples: Sample[]): object[] {
  return samples.map(({ slug }) => ({ mcp_client_name: slug, tools_to_execute: ['*'] }));
}

/**
 * Whether the gateway still knows the key: the database may be another than at the last start. The async API takes keys
 * whatever `/mcp` was told to take.
 */
export async function isKeyValid(gatewayUrl: string, key: string): Promise<boolean> {
  try {
    await apiClient(gatewayUrl, key)('GET', '/api/tool-calls?limit=1');
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}

type Call = {
  call_id: string;
  status: string;
  result?: { content?: { text?: string }[] } | null;
  error?: { message: string } | null;
};
const unended = new Set(['accepted', 'queued', 'running']);
const callLimitMs = 30_000;

/** Reads a sample file through the queue, a worker and the stdio server. */
export async function makeFirstCall(gatewayUrl: string, key: string, dataFolder: string): Promise<string> {
  const api = apiClient(gatewayUrl, key);
  let call = await api<Call>('POST', '/api/tool-calls', {
    tool: 'filesystem_read_text_file',
    arguments: { path: join(dataFolder, 'samples/files/welcome.txt') },
    deadline_ms: callLimitMs,
  });
  for (const giveUpAt = Date.now() + callLimitMs; unended.has(call.status); await delay(50)) {
    if (Date.now() > giveUpAt) throw new Error(`it is still ${call.status}`);
    call = await api<Call>('GET', `/api/tool-calls/${call.call_id}`);
  }
  if (call.status !== 'completed') throw new Error(call.error?.message ?? call.status);
  return (call.result?.content ?? [])
    .map(({ text }) => text ?? '')
    .join('\n')
    .trim();
}

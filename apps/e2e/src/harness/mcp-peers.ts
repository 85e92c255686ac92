import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernHttp,
} from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as LegacyStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CompatibilityCallToolResultSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

export type PeerTool = { readonly name: string } & Record<string, unknown>;
export type PeerResult = {
  content?: { type: string; text?: string }[];
  isError?: boolean;
  structuredContent?: unknown;
} & Record<string, unknown>;
export type PeerCall = {
  onProgress?: (step: { progress: number; total?: number }) => void;
  signal?: AbortSignal;
  timeoutMs?: number;
};

/** An official client of one of the two SDKs, with what both can do. */
export type McpPeer = {
  /** Every page, fetched anew. */
  listTools(): Promise<PeerTool[]>;
  callTool(name: string, args?: Record<string, unknown>, call?: PeerCall): Promise<PeerResult>;
  protocolVersion(): string | undefined;
  close(): Promise<void>;
};

export type HttpPeerOptions = { headers?: Record<string, string>; onToolsChanged?: () => void };
export type Program = { command: string; args: string[]; env?: Record<string, string> };

const implementation = { name: 'switchyard-e2e', version: '1.0.0' };

/** The two SDKs under one interface. */
export const sdks = {
  'SDK 1.x': { overHttp: connectLegacyHttp, overStdio: connectLegacyStdio },
  'SDK 2.x': { overHttp: connectModernHttp, overStdio: connectModernStdio },
} as const;
export type SdkName = keyof typeof sdks;
export const sdkNames = Object.keys(sdks) as SdkName[];

async function connectLegacyHttp(
  url: string,
  { headers, onToolsChanged }: HttpPeerOptions = {},
): Promise<McpPeer> {
  const client = new LegacyClient(implementation);
  if (onToolsChanged) client.setNotificationHandler(ToolListChangedNotificationSchema, onToolsChanged);
  const transport = new LegacyHttp(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  return legacyPeer(client, () => transport.protocolVersion);
}

async function connectLegacyStdio({ command, args, env }: Program): Promise<McpPeer> {
  const client = new LegacyClient(implementation);
  await client.connect(new LegacyStdio({ command, args, env, stderr: 'ignore' }));
  return legacyPeer(client, () => undefined);
}

function legacyPeer(client: LegacyClient, protocolVersion: () => string | undefined): McpPeer {
  return {
    protocolVersion,
    listTools: () => allPages((cursor) => client.listTools({ cursor })),
    callTool: async (name, args = {}, { onProgress, signal, timeoutMs = 60_000 } = {}) =>
      (await client.callTool({ name, arguments: args }, CompatibilityCallToolResultSchema, {
        onprogress: onProgress,
        signal,
        timeout: timeoutMs,
      })) as PeerResult,
    close: () => client.close(),
  };
}

async function connectModernHttp(
  url: string,
  { headers, onToolsChanged }: HttpPeerOptions = {},
): Promise<McpPeer> {
  const client = modernClient(onToolsChanged);
  await client.connect(new ModernHttp(new URL(url), { requestInit: { headers } }));
  return modernPeer(client);
}

async function connectModernStdio({ command, args, env }: Program): Promise<McpPeer> {
  const client = modernClient();
  await client.connect(new ModernStdio({ command, args, env, stderr: 'ignore' }));
  return modernPeer(client);
}

function modernClient(onToolsChanged?: () => void): ModernClient {
  return new ModernClient(implementation, {
    versionNegotiation: { mode: 'auto' },
    ...(onToolsChanged && {
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => onToolsChanged() } },
    }),
  });
}

function modernPeer(client: ModernClient): McpPeer {
  return {
    protocolVersion: () => client.getNegotiatedProtocolVersion(),
    listTools: async () => (await client.listTools(undefined, { cacheMode: 'refresh' })).tools as PeerTool[],
    callTool: async (name, args = {}, { onProgress, signal, timeoutMs = 60_000 } = {}) =>
      (await client.callTool(
        { name, arguments: args },
        { onprogress: onProgress, signal, timeout: timeoutMs },
      )) as PeerResult,
    close: () => client.close(),
  };
}

async function allPages(
  page: (cursor?: string) => Promise<{ tools: unknown[]; nextCursor?: string }>,
): Promise<PeerTool[]> {
  const tools: unknown[] = [];
  let cursor: string | undefined;
  do {
    const { tools: some, nextCursor } = await page(cursor);
    tools.push(...some);
    cursor = nextCursor;
  } while (cursor !== undefined);
  return tools as PeerTool[];
}

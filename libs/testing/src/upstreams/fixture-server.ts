import { randomBytes } from 'node:crypto';
import {
  createRequestStateCodec,
  ProtocolError,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { CallLog } from './call-log.js';
import {
  featureCapabilities,
  serveFeatures,
  type FixtureFeatures,
  type Subscriptions,
} from './fixture-features.js';
import type { FixtureTool, ToolRun } from './fixture-tool.js';

/** What the servers of one fixture have in common. */
export type FixtureState = {
  tools: FixtureTool[];
  /** Prompts, resources and completion, if it has any. */
  features?: FixtureFeatures;
  subscriptions: Subscriptions;
  log: CallLog;
  pageSize: number;
  /** The list goes round in circles. */
  endlessList: boolean;
  name: string;
  instructions: string;
  toolsChanged: () => Promise<void>;
  resourceUpdated: (uri: string) => Promise<void>;
  /** What a particular fixture has besides tools. */
  extend?: (server: Server) => void;
  capabilities?: Record<string, object>;
};

/** What a tool that asks in rounds keeps with its client between them; nobody else can make one that is accepted. */
export const requestStates = createRequestStateCodec<unknown>({ key: randomBytes(32) });

/** One server of the SDK: for one legacy session, or for one modern request. */
export function fixtureServer(state: FixtureState): Server {
  const features = state.features && featureCapabilities;
  const server = new Server(
    { name: state.name, version: '1.0.0' },
    {
      capabilities: { tools: { listChanged: true }, ...features, ...state.capabilities },
      instructions: state.instructions,
      requestState: { verify: requestStates.verify },
    },
  );
  server.setRequestHandler('tools/list', ({ params }) => listPage(state, params?.cursor));
  server.setRequestHandler('tools/call', async ({ params }, ctx) => {
    const tool = state.tools.find(({ wire }) => wire.name === params.name);
    if (!tool) throw new ProtocolError(-32602, `Unknown tool: ${params.name}`);
    return (await tool.run(runOf(state, params.arguments ?? {}, ctx))) as never;
  });
  if (features) serveFeatures(server, () => state.features!, state);
  state.extend?.(server);
  return server;
}

function listPage(state: FixtureState, cursor: string | undefined) {
  const from = Number(cursor ?? 0);
  if (!Number.isInteger(from) || from < 0) throw new ProtocolError(-32602, 'Unknown cursor');
  const page = state.tools.slice(from, from + state.pageSize).map(({ wire }) => wire);
  if (state.endlessList) return { tools: page, nextCursor: '0' };
  const next = from + state.pageSize;
  return { tools: page, ...(next < state.tools.length && { nextCursor: String(next) }) };
}

function runOf(state: FixtureState, args: Record<string, unknown>, ctx: ServerContext): ToolRun {
  const { log, toolsChanged, resourceUpdated } = state;
  const progressToken = ctx.mcpReq._meta?.progressToken;
  return {
    args,
    ctx,
    log,
    toolsChanged,
    resourceUpdated,
    progress: async (progress, total, message) => {
      if (progressToken === undefined) return;
      const params = {
        progressToken,
        progress,
        ...(total !== undefined && { total }),
        ...(message && { message }),
      };
      await ctx.mcpReq.notify({ method: 'notifications/progress', params });
    },
  };
}

import { Injectable } from '@nestjs/common';
import { Server } from '@modelcontextprotocol/server';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import { findTool, resolveTools, SnapshotStore } from '@switchyard/access';
import type { CallerContext } from '@switchyard/contracts';
import { ToolCallsService } from '../tool-calls/tool-calls.service.js';
import { type CallFrame, callTool } from './call-tool.js';
import { Connections } from './connections.service.js';
import { toolList } from './tool-list.js';

/** Newest first: the first is offered to a client that asks for one we do not know. */
export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

const serverInfo = { name: 'switchyard', title: 'Switchyard', version: '0.1.0' };
/** Only what is really there. Prompts, resources, completion and logging join with their handlers. */
const capabilities = { tools: { listChanged: true } };
/** The SDK would make one for every server, that is for every request. */
const jsonSchemaValidator = new AjvJsonSchemaValidator();

/** Makes the SDK's server for one exchange, with our two handlers on it. */
@Injectable()
export class McpServers {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly toolCalls: ToolCallsService,
    private readonly connections: Connections,
  ) {}

  /**
   * Our handlers are the server's fallback rather than set by method: what is set is parsed twice on the way in and
   * once on the way out, which costs, and drops what this SDK does not know of a vendor's result. The fallback is
   * there only for methods it answers, so that the SDK refuses all others in its own way.
   */
  create(method: string | undefined, frame: CallFrame): Server {
    const server = new Server(serverInfo, {
      capabilities,
      supportedProtocolVersions: legacyVersions,
      jsonSchemaValidator,
    });
    if (method === 'tools/list') {
      server.fallbackRequestHandler = () => Promise.resolve(this.#list(frame));
    } else if (method === 'tools/call') {
      const parts = { toolCalls: this.toolCalls, connections: this.connections };
      server.fallbackRequestHandler = ({ params }, context) =>
        callTool(parts, { params, context, frame, server });
    }
    return server;
  }

  /** The input schema of a tool that the caller has. */
  inputSchemaOf(caller: CallerContext, tool: string): unknown {
    return findTool(this.snapshots.current(), caller, tool)?.wire.inputSchema;
  }

  #list({ caller }: CallFrame) {
    return toolList(resolveTools(this.snapshots.current(), caller));
  }
}

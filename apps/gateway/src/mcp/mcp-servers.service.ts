import { Injectable } from '@nestjs/common';
import { type Result, Server, type ServerContext } from '@modelcontextprotocol/server';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import { findTool, SnapshotStore } from '@switchyard/access';
import { SearchMode } from '../search/search-mode.service.js';
import { Questions } from '../tool-calls/questions.service.js';
import type { CallTarget } from '../tool-calls/prepared-call.js';
import { ToolCallsService } from '../tool-calls/tool-calls.service.js';
import { callTool } from './call-tool.js';
import { Connections } from './connections.service.js';
import { Lists } from './lists.service.js';
import { outwardUrisOf } from './outward-uris.js';
import { ParkedCalls } from './parked-calls.service.js';
import { complete, getPrompt, readResource } from './read-feature.js';
import { RefusedStates } from './refused-states.service.js';
import { RequestStates } from './request-states.js';
import { SessionChoices } from './session-choices.service.js';
import type { CallFrame, CallParts } from './upstream-call.js';

/** Newest first: the first is offered to a client that asks for one we do not know. */
export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

const serverInfo = { name: 'switchyard', title: 'Switchyard', version: '0.1.0' };
/** What we serve for whichever server is behind us: one that lacks a feature has empty lists, and completes nothing. */
const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};
/** The SDK would make one for every server, that is for every request. */
const jsonSchemaValidator = new AjvJsonSchemaValidator();

type Exchange = {
  readonly params: unknown;
  readonly context: ServerContext;
  readonly frame: CallFrame;
  readonly server: Server;
};
type Answer = (exchange: Exchange) => Result | Promise<Result>;

/** Makes the SDK's server for one exchange, with our handler of its method on it. */
@Injectable()
export class McpServers {
  readonly #parts: CallParts;
  readonly #methods: Readonly<Record<string, Answer>>;

  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly lists: Lists,
    sessions: SessionChoices,
    toolCalls: ToolCallsService,
    connections: Connections,
    questions: Questions,
    parked: ParkedCalls,
    states: RequestStates,
    searchMode: SearchMode,
    refusedStates: RefusedStates,
  ) {
    const refusedState: CallParts['refusedState'] = (frame, why) => refusedStates.note(frame, why);
    this.#parts = { toolCalls, connections, questions, parked, states, searchMode, refusedState };
    this.#methods = {
      'tools/list': ({ frame }) => lists.tools(frame),
      'prompts/list': ({ frame }) => lists.prompts(frame),
      'resources/list': ({ frame }) => lists.resources(frame),
      'resources/templates/list': ({ frame }) => lists.resourceTemplates(frame),
      'tools/call': (exchange) => this.#callTool(exchange),
      'prompts/get': (exchange) => getPrompt(this.#parts, this.#withOutward(exchange)),
      'resources/read': (exchange) => readResource(this.#parts, this.#withOutward(exchange)),
      'completion/complete': (exchange) => complete(this.#parts, this.#withOutward(exchange)),
      'resources/subscribe': ({ frame, params }) => sessions.subscribe(frame, params),
      'resources/unsubscribe': ({ frame, params }) => sessions.unsubscribe(frame, params),
      'logging/setLevel': ({ frame, params }) => sessions.setLogLevel(frame, params),
    };
  }

  /**
   * Our handlers are the server's fallback rather than set by method: what is set is parsed twice on the way in and
   * once on the way out, which costs, and drops what this SDK does not know of a vendor's result. The fallback is
   * there only for methods it answers, so that the SDK refuses all others in its own way.
   */
  create(method: string | undefined, frame: CallFrame): Server {
    const isGreeting = method === 'initialize' || method === 'server/discover';
    const server = new Server(serverInfo, {
      ...{ capabilities, supportedProtocolVersions: legacyVersions, jsonSchemaValidator },
      instructions: isGreeting ? this.lists.instructions(frame) : undefined,
    });
    const answer = method !== undefined && Object.hasOwn(this.#methods, method) && this.#methods[method];
    if (!answer) return server;
    // The SDK keeps levels by connection, which here is one request.
    if (method === 'logging/setLevel') server.removeRequestHandler(method);
    server.fallbackRequestHandler = async ({ params }, context) => answer({ params, context, frame, server });
    return server;
  }

  /** The input schema of a tool that the caller has. */
  inputSchemaOf({ caller, filter }: Pick<CallFrame, 'caller' | 'filter'>, tool: string): unknown {
    return findTool(this.snapshots.current(), caller, tool, filter)?.wire.inputSchema;
  }

  #callTool(exchange: Exchange): Promise<Result> {
    return callTool(this.#parts, this.#withOutward(exchange));
  }

  #withOutward(exchange: Exchange) {
    const { caller } = exchange.frame;
    const outward = ({ integration }: CallTarget) =>
      outwardUrisOf(this.snapshots.current(), caller, integration);
    return { ...exchange, outward };
  }
}

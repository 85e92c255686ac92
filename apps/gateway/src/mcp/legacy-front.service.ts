import { Inject, Injectable } from '@nestjs/common';
import {
  isInitializeRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server';
import { holderOf } from '../auth/principal.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { CallerLeft } from '../tool-calls/prepared-call.js';
import { ClientAnswers } from './client-answers.service.js';
import { rpcCodes, rpcErrorText, type RpcRefusal } from './json-rpc.js';
import { answerForm, LegacyExchange } from './legacy-exchange.js';
import { LegacyStreams } from './legacy-streams.service.js';
import { headerOf, type McpRequest, ownerOf, sendJson } from './mcp-request.js';
import { legacyVersions, McpServers } from './mcp-servers.service.js';
import { McpSessions } from './mcp-sessions.service.js';
import { OpenStreams } from './open-streams.service.js';
import { RunningRequests } from './running-requests.service.js';
import { type Session, SessionTokens } from './session-token.js';
import type { CallFrame, LegacySession } from './upstream-call.js';

type Opened = { readonly session: Session | undefined } | { readonly refusal: RpcRefusal };

/** Serves the handshake revisions, up to 2025-11-25. Sessions are in the clients' hands, so any replica will do. */
@Injectable()
export class LegacyFront {
  constructor(
    private readonly servers: McpServers,
    private readonly tokens: SessionTokens,
    private readonly sessions: McpSessions,
    private readonly answers: ClientAnswers,
    private readonly running: RunningRequests,
    private readonly streams: LegacyStreams,
    private readonly open: OpenStreams,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'streams'>,
  ) {}

  /** A message that was found to be legacy JSON-RPC. */
  async post(request: McpRequest, message: JSONRPCMessage): Promise<void> {
    const opened = this.#openSession(request, isInitializeMethod(message));
    if ('refusal' in opened) return refuse(request, { ...opened.refusal, id: idOf(message) });
    if (isJSONRPCRequest(message)) return this.#serve(request, message, opened.session);
    if (isJSONRPCNotification(message)) this.#notice(message, opened.session);
    else if (opened.session) this.answers.take(opened.session, message);
    request.response.writeHead(202).end();
  }

  /** The stream on which a client hears of changes. Throws `rate_limited`. */
  get(request: McpRequest): void {
    const accept = headerOf(request.headers, 'accept');
    if (accept !== undefined && !/text\/(event-stream|\*)|\*\/\*/.test(accept)) {
      const message = 'Not Acceptable: the client must accept text/event-stream.';
      return refuse(request, { httpStatus: 406, code: rpcCodes.transport, message, id: null });
    }
    const opened = this.#openSession(request, false);
    if ('refusal' in opened) return refuse(request, opened.refusal);
    this.streams.open(request, opened.session);
  }

  async delete(request: McpRequest): Promise<void> {
    const opened = this.#openSession(request, false);
    if ('refusal' in opened) return refuse(request, opened.refusal);
    if (!opened.session) {
      const message = 'Bad Request: the Mcp-Session-Id header is missing.';
      return refuse(request, { httpStatus: 400, code: rpcCodes.transport, message, id: null });
    }
    this.streams.end(opened.session);
    await this.sessions.end({ id: opened.session.id, holder: holderOf(request.principal.caller) });
    request.response.writeHead(204).end();
  }

  /** A session that is not this principal's is as unknown as one that never was: the client starts a new one. */
  #openSession({ headers, principal }: McpRequest, isInitialize: boolean): Opened {
    const version = headerOf(headers, 'mcp-protocol-version');
    if (version !== undefined && !isInitialize && !legacyVersions.includes(version)) {
      const message = `Bad Request: Unsupported protocol version (supported versions: ${legacyVersions.join(', ')})`;
      return { refusal: { httpStatus: 400, code: rpcCodes.transport, message, id: null } };
    }
    const token = headerOf(headers, 'mcp-session-id');
    if (token === undefined || isInitialize) return { session: undefined };
    const session = this.tokens.open(token, ownerOf(principal));
    if (session && !this.sessions.hasEnded(session.id)) {
      this.sessions.meet(session.id);
      return { session };
    }
    return {
      refusal: { httpStatus: 404, code: rpcCodes.sessionNotFound, message: 'Session not found', id: null },
    };
  }

  #notice({ method, params }: JSONRPCNotification, session: Session | undefined): void {
    const requestId = params?.['requestId'];
    if (method !== 'notifications/cancelled' || !session) return;
    if (typeof requestId === 'string' || typeof requestId === 'number')
      this.running.cancel(session, requestId);
  }

  async #serve(request: McpRequest, message: JSONRPCRequest, session: Session | undefined): Promise<void> {
    if (message.method === 'initialize' && !isInitializeRequest(message)) {
      const text =
        'Invalid params for initialize: protocolVersion, capabilities and clientInfo are required.';
      return refuse(request, {
        httpStatus: 200,
        code: rpcCodes.invalidParams,
        message: text,
        id: message.id,
      });
    }
    const left = new AbortController();
    const exchange = new LegacyExchange(request.response, {
      form: answerForm(headerOf(request.headers, 'accept')),
      keepAliveMs: this.config.streams.keepAliveMs,
      headersOf: (answer) => this.#sessionHeader(request, message, answer),
    });
    const leave = (how: CallerLeft['how']): void => {
      left.abort(new CallerLeft(how));
      void exchange.close();
    };
    const forget = [
      this.running.add(session, message.id, () => leave('cancelled')),
      this.open.openRequest(request.principal, leave),
    ];
    request.response.once('close', () => {
      for (const step of forget) step();
      if (!request.response.writableFinished) leave('disconnected');
    });
    const frame = this.#frame(request, {
      session: session && this.#sessionOf(session, exchange),
      signal: left.signal,
    });
    const server = this.servers.create(message.method, frame);
    await server.connect(exchange);
    exchange.receive(message);
  }

  #frame(
    { principal, filter, headers, idempotencyKey }: McpRequest,
    { session, signal }: { session: LegacySession | undefined; signal: AbortSignal },
  ): CallFrame {
    return {
      era: 'legacy',
      owner: ownerOf(principal),
      caller: principal.caller,
      filter,
      userToken: principal.userToken,
      ...(session && { session }),
      idempotencyKey,
      traceparent: headerOf(headers, 'traceparent'),
      signal,
    };
  }

  /** A client that reads nothing before the response cannot be asked, nor told anything. */
  #sessionOf(session: Session, exchange: LegacyExchange): LegacySession {
    const known = {
      id: session.id,
      capabilities: session.clientCapabilities,
      logLevel: this.sessions.logLevelOf(session.id),
    };
    if (!exchange.takesEvents) return known;
    const send = (message: object): void => exchange.sendBefore(message);
    return {
      ...known,
      ask: (request, signal) => this.answers.ask(session, request, { send, signal }),
      notify: (method, params) => send({ jsonrpc: '2.0', method, params }),
    };
  }

  #sessionHeader(
    { principal }: McpRequest,
    request: JSONRPCRequest,
    answer: JSONRPCMessage,
  ): Record<string, string> {
    if (request.method !== 'initialize' || !isInitializeRequest(request) || !('result' in answer)) return {};
    const session = {
      principalId: ownerOf(principal),
      protocolVersion: String(answer.result['protocolVersion']),
      clientCapabilities: request.params.capabilities,
    };
    return { 'mcp-session-id': this.tokens.issue(session) };
  }
}

function isInitializeMethod(message: JSONRPCMessage): boolean {
  return 'method' in message && message.method === 'initialize';
}

function idOf(message: JSONRPCMessage): string | number | null {
  return isJSONRPCRequest(message) ? message.id : null;
}

function refuse({ response }: McpRequest, refusal: RpcRefusal): void {
  sendJson(response, refusal.httpStatus, rpcErrorText(refusal));
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decideAnswer } from '../rules/decide-answer.js';
import type { ModelScript } from '../script/script.js';
import { ScriptedAnswers } from '../script/scripted-answers.js';
import type { ChatRequest } from '../wire/chat-request.js';
import { OpenAiError } from '../wire/openai-error.js';
import { parseChatRequest } from '../wire/parse-chat-request.js';
import { checkKey } from './check-key.js';
import { answerControl } from './control.js';
import { readBody } from './read-body.js';
import { RequestLog, type SeenRequest } from './request-log.js';
import { sendError, sendJson } from './send.js';
import { writeAnswer } from './write-answer.js';

export type ModelServerOptions = {
  /** The bearer that every request must have. */
  readonly apiKey: string;
  /** By default a free one. */
  readonly port?: number;
  /** By default 127.0.0.1. */
  readonly host?: string;
  /** Answers by script instead of by rules, and opens the control path. */
  readonly script?: ModelScript;
};

const rulesModel = 'demo-1';
const scriptedModel = 'scripted-1';

/** The demonstration model behind the interface of OpenAI's chat completions. */
export class ModelServer {
  private readonly log = new RequestLog();
  private readonly server: Server;
  private script: ModelScript | undefined;
  private scripted: ScriptedAnswers | undefined;

  constructor(private readonly options: ModelServerOptions) {
    this.server = createServer((request, response) => void this.answer(request, response));
    this.reset(options.script);
  }

  /** Listens; gives the port. */
  async start(): Promise<number> {
    this.server.listen(this.options.port ?? 0, this.options.host ?? '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  /** What the model saw since the start or the last reset. */
  readonly requests = (): readonly SeenRequest[] => this.log.list();

  /** Forgets the requests and begins the script, or another one, anew. */
  readonly reset = (script: ModelScript | undefined = this.script): void => {
    this.script = script;
    this.scripted = script && new ScriptedAnswers(script);
    this.log.clear();
  };

  /** Cuts what is still open. */
  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    try {
      await this.route(request, response);
    } catch (error) {
      sendError(response, error);
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = `${request.method} ${request.url?.split('?')[0]}`;
    if (asked === 'GET /healthz') return sendJson(response, 200, { status: 'ok' });
    if (this.scripted && request.url?.startsWith('/control/')) return answerControl(request, response, this);
    checkKey(request, this.options.apiKey);
    if (asked === 'GET /v1/models') return sendJson(response, 200, this.models());
    if (asked === 'POST /v1/chat/completions') return this.complete(request, response);
    throw new OpenAiError(404, `Unknown request URL: ${asked}.`, { code: 'unknown_url' });
  }

  private async complete(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = parseChatRequest(await readBody(request));
    this.checkModel(asked.model);
    const seen = this.log.add(asked);
    try {
      seen.ended = await writeAnswer(response, { request: asked, ...this.answerTo(asked, seen) });
    } catch (error) {
      seen.ended = 'refused';
      throw error;
    }
  }

  private answerTo(request: ChatRequest, seen: SeenRequest) {
    if (!this.scripted) return { answer: decideAnswer(request), behaviour: {} };
    const { turn, answer, behaviour } = this.scripted.next(request, seen.number);
    seen.turn = turn;
    return { answer, behaviour };
  }

  private checkModel(model: string): void {
    if (model === this.modelName()) return;
    throw new OpenAiError(404, `The model '${model}' does not exist; this server has ${this.modelName()}.`, {
      code: 'model_not_found',
    });
  }

  private modelName(): string {
    return this.scripted ? scriptedModel : rulesModel;
  }

  private models() {
    return {
      object: 'list',
      data: [{ id: this.modelName(), object: 'model', created: 0, owned_by: 'switchyard-demonstration' }],
    };
  }
}

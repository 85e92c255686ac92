import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { EventStream } from './event-stream.js';
import type { McpRequest } from './mcp-request.js';
import { OpenStreams } from './open-streams.service.js';
import type { Session } from './session-token.js';
import { ToolListWatch } from './tool-list-watch.service.js';

const opened = JSON.stringify({ jsonrpc: '2.0', method: 'connection/opened' });
const toolsChanged = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });

/** The GET streams of legacy clients. */
@Injectable()
export class LegacyStreams {
  /** A client that lost its stream opens another, and each message goes to one of them only. */
  readonly #bySession = new Map<string, EventStream>();

  constructor(
    private readonly open_: OpenStreams,
    private readonly watch: ToolListWatch,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'streams'>,
  ) {}

  /** Throws `rate_limited` before anything is written. */
  open({ principal, response }: McpRequest, session: Session | undefined): void {
    if (session) this.end(session);
    let stream: EventStream | undefined;
    const release = this.open_.openStream(principal, 'legacy', () => stream?.end());
    const opening = (stream = new EventStream(response, this.config.streams));
    opening.send(opened);
    const unsubscribe = this.watch.subscribe(principal, () => opening.send(toolsChanged));
    if (session) this.#bySession.set(session.id, opening);
    response.once('close', () => {
      unsubscribe();
      release();
      if (session && this.#bySession.get(session.id) === opening) this.#bySession.delete(session.id);
    });
  }

  end(session: Session): void {
    this.#bySession.get(session.id)?.end();
  }
}

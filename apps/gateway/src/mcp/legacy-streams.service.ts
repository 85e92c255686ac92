import { Inject, Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { EventStream } from './event-stream.js';
import type { McpRequest } from './mcp-request.js';
import { McpSessions } from './mcp-sessions.service.js';
import { OpenStreams } from './open-streams.service.js';
import { type ResourceListener, ResourceWatch } from './resource-watch.service.js';
import type { Session } from './session-token.js';
import { ToolListWatch } from './tool-list-watch.service.js';
import type { ListKind } from './watched-lists.js';

const opened = JSON.stringify({ jsonrpc: '2.0', method: 'connection/opened' });
const kinds = ['tools', 'prompts', 'resources'] as const;

/** The GET streams of legacy clients. */
@Injectable()
export class LegacyStreams {
  /** A client that lost its stream opens another, and each message goes to one of them only. */
  readonly #bySession = new Map<string, EventStream>();

  constructor(
    private readonly open_: OpenStreams,
    private readonly watch: ToolListWatch,
    private readonly sessions: McpSessions,
    private readonly resources: ResourceWatch,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'streams'>,
  ) {}

  /** Throws `rate_limited` before anything is written. */
  open(request: McpRequest, session: Session | undefined): void {
    const { principal, filter, response } = request;
    // Nothing would tell the end of what its client left before.
    if (response.destroyed) return;
    if (session) this.end(session);
    let stream: EventStream | undefined;
    const release = this.open_.openStream(principal, 'legacy', () => stream?.end());
    const opening = (stream = new EventStream(response, this.config.streams));
    opening.send(opened);
    const view = { filter, kinds };
    const unsubscribe = this.watch.subscribe(principal, (what) => opening.send(changed(what)), view);
    const unfollow = session && this.#followResources(request, session, opening);
    if (session) this.#bySession.set(session.id, opening);
    response.once('close', () => {
      unsubscribe();
      unfollow?.();
      release();
      if (session && this.#bySession.get(session.id) === opening) this.#bySession.delete(session.id);
    });
  }

  end(session: Session): void {
    this.#bySession.get(session.id)?.end();
  }

  /** The session's subscriptions may change while its stream is open, at whichever replica. */
  #followResources({ principal, filter }: McpRequest, session: Session, stream: EventStream): () => void {
    const watched = new Map<string, () => void>();
    const listener = {
      caller: principal.caller,
      filter,
      updated: (uri: string) => stream.send(notification('notifications/resources/updated', { uri })),
    };
    const unfollow = this.sessions.follow(session.id, (wanted) => {
      for (const [uri, stop] of watched) {
        if (wanted.has(uri)) continue;
        stop();
        watched.delete(uri);
      }
      for (const uri of wanted) if (!watched.has(uri)) watched.set(uri, this.#watch(listener, uri, stream));
    });
    return () => {
      unfollow();
      for (const stop of watched.values()) stop();
    };
  }

  /** There was room when its client subscribed; where others took it since, the client is told. */
  #watch(listener: ResourceListener, uri: string, stream: EventStream): () => void {
    try {
      return this.resources.watch(listener, uri);
    } catch (err) {
      if (!(err instanceof PlatformError)) throw err;
      stream.send(unwatched(uri));
      return () => undefined;
    }
  }
}

function unwatched(uri: string): string {
  const data = { uri, message: 'Its updates are not told: too many resources are watched.' };
  return notification('notifications/message', { level: 'warning', logger: 'switchyard', data });
}

function changed(what: ListKind): string {
  return notification(`notifications/${what}/list_changed`);
}

function notification(method: string, params?: object): string {
  return JSON.stringify({ jsonrpc: '2.0', method, ...(params && { params }) });
}

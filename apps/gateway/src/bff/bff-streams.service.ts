import type { ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { type RequestFilter, type ResolvedTool, resolveTools, SnapshotStore } from '@switchyard/access';
import { errorBody, PlatformError } from '@switchyard/contracts';
import { Authenticator } from '../auth/authenticator.service.js';
import type { Principal } from '../auth/principal.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { EventStream } from '../mcp/event-stream.js';
import { OpenStreams } from '../mcp/open-streams.service.js';
import { isSameList } from '../mcp/tool-list.js';
import { ToolListWatch } from '../mcp/tool-list-watch.service.js';
import { shownTools } from './shown-tools.js';

type Opening = {
  readonly filter: RequestFilter | undefined;
  readonly format: 'bff' | 'openai';
  /** Takes the response out of the framework's hands; called once nothing can refuse the stream any more. */
  readonly takeResponse: () => ServerResponse;
};

/** The streams of tool updates: `connected`, `tool_list`, `heartbeat`, and `error` before we end one. */
@Injectable()
export class BffStreams {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly open_: OpenStreams,
    private readonly watch: ToolListWatch,
    private readonly authenticator: Authenticator,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'streams' | 'bff'>,
  ) {}

  /** Throws `rate_limited` before anything is written. */
  open(principal: Principal, { filter, format, takeResponse }: Opening): void {
    let close = (): void => undefined;
    const release = this.open_.openStream(principal, 'bff', () => close());
    const response = takeResponse();
    const stream = new EventStream(response, this.config.streams);
    const send = (event: string, data: Record<string, unknown>): void =>
      stream.send(JSON.stringify({ ...data, timestamp: new Date().toISOString() }), event);
    let shown = this.#tools(principal, filter);
    const sendList = (reason: 'connected' | 'update'): void =>
      send('tool_list', { ...shownTools(shown, format), reason });
    const unsubscribe = this.watch.subscribe(principal, () => {
      const now = this.#tools(principal, filter);
      const isSame = isSameList(shown, now);
      shown = now;
      if (!isSame) sendList('update');
    });
    const { heartbeatMs } = this.config.bff;
    const heartbeat = setInterval(() => send('heartbeat', {}), heartbeatMs);
    response.once('close', () => {
      clearInterval(heartbeat);
      unsubscribe();
      release();
    });
    close = () => {
      send('error', errorBody(this.#whyClosed(principal).toInfo()));
      stream.end();
    };
    const { userId, orgId } = principal.caller;
    send('connected', { user_id: userId, organization_id: orgId, heartbeat_interval_ms: heartbeatMs });
    sendList('connected');
  }

  #tools({ caller }: Principal, filter: RequestFilter | undefined): readonly ResolvedTool[] {
    return resolveTools(this.snapshots.current(), caller, filter);
  }

  /** Those whose credential still holds are sent away because this process ends: another serves them. */
  #whyClosed(principal: Principal): PlatformError {
    if (this.authenticator.isStillValid(principal))
      return new PlatformError('dependency_unavailable', { message: 'Connect again.', retryAfterMs: 1_000 });
    const { userToken, caller } = principal;
    if (userToken && userToken.expiresAt <= Date.now()) return new PlatformError('token_expired');
    const isInactive = caller.userId !== null && this.snapshots.current().inactiveUsers.has(caller.userId);
    return new PlatformError(isInactive ? 'user_inactive' : 'unauthenticated');
  }
}

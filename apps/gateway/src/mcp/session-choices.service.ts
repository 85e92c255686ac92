import { Injectable } from '@nestjs/common';
import { ProtocolError, type Result } from '@modelcontextprotocol/server';
import { findResource, SnapshotStore } from '@switchyard/access';
import { z } from 'zod';
import { holderOf } from '../auth/principal.js';
import { logLevelOf } from './client-side.js';
import { rpcCodes } from './json-rpc.js';
import { legacyUnknownResource } from './legacy-errors.js';
import { McpSessions, type OwnedSession } from './mcp-sessions.service.js';
import { parseParams } from './parse-params.js';
import { longestWatchedUri, ResourceWatch } from './resource-watch.service.js';
import type { CallFrame } from './upstream-call.js';

const SetLevelParams = z.looseObject({ level: z.string() });
const SubscribeParams = z.looseObject({ uri: z.string().min(1).max(longestWatchedUri) });

/** The requests of the handshake revisions by which a client chooses for its session. */
@Injectable()
export class SessionChoices {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly sessions: McpSessions,
    private readonly resources: ResourceWatch,
  ) {}

  async setLogLevel({ session, caller }: CallFrame, params: unknown): Promise<Result> {
    const { level } = parseParams('logging/setLevel', SetLevelParams, params);
    const known = logLevelOf(level);
    if (!known)
      throw new ProtocolError(
        rpcCodes.invalidParams,
        `Invalid params for logging/setLevel: no level ${level}`,
      );
    // A client without a session has nothing that a level could be kept for.
    if (session) await this.sessions.setLogLevel({ id: session.id, holder: holderOf(caller) }, known);
    return {};
  }

  async subscribe(frame: CallFrame, params: unknown): Promise<Result> {
    const { uri } = parseParams('resources/subscribe', SubscribeParams, params);
    if (!findResource(this.snapshots.current(), frame.caller, uri, frame.filter))
      throw legacyUnknownResource({ uri });
    this.resources.assertRoom(frame, uri);
    await this.sessions.subscribe(sessionOf(frame), uri);
    return {};
  }

  async unsubscribe(frame: CallFrame, params: unknown): Promise<Result> {
    const { uri } = parseParams('resources/unsubscribe', SubscribeParams, params);
    await this.sessions.unsubscribe(sessionOf(frame), uri);
    return {};
  }
}

function sessionOf({ session, caller }: CallFrame): OwnedSession {
  if (session) return { id: session.id, holder: holderOf(caller) };
  const message = 'Subscriptions need a session: send the Mcp-Session-Id that initialize gave.';
  throw new ProtocolError(rpcCodes.invalidRequest, message);
}

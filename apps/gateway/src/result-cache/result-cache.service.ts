import { createHash } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { type ToolCallOutcome, type ToolResult, topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import type { CallRequest, PreparedCall } from '../tool-calls/prepared-call.js';

/** One result may take this part of the cache. */
const largestShare = 16;
const perUserModes = new Set(['authorization_code', 'token_exchange']);

type Entry = {
  readonly integrationId: string;
  readonly callId: string;
  readonly authPath: ToolCallOutcome['authPath'];
  /** JSON: of a known size, and nobody changes it. */
  readonly result: string;
  readonly madeAt: number;
  readonly freshUntil: number;
};

/** An earlier call's end, and how old it is. */
export type Cached = { readonly outcome: ToolCallOutcome; readonly ageMs: number };

/**
 * Results of read-only tools that an admin lets be repeated for a while. What one identity got, no other gets; a
 * changed integration, tool or credential makes new keys or empties this. Lives in each replica's memory.
 */
@Injectable()
export class ResultCache implements OnModuleInit {
  /** Oldest use first. */
  readonly #entries = new Map<string, Entry>();
  /** Part of every key, so that a call which began before a credential changed leaves nothing to those after it. */
  readonly #generations = new Map<string, number>();
  #generation = 0;
  #bytes = 0;

  constructor(
    private readonly queue: QueueClient,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'resultCacheBytes'>,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.credentialChanged, ({ integrationId }) => this.#forget(integrationId));
    this.queue.onReconnect(() => this.#clear());
  }

  /** Under which key the call's result may be kept; undefined: it may not. */
  keyOf({ tool, call }: PreparedCall, request: CallRequest): string | undefined {
    if (!isRepeatable({ tool, call }, request)) return undefined;
    const { id, version, authMode, userHeaderNames } = tool.integration;
    const { orgId, userId } = call.caller;
    const isPerUser = perUserModes.has(authMode) || userHeaderNames.length > 0;
    const identity = isPerUser && userId !== null ? { userId, ...tokenOf(request, authMode) } : { orgId };
    const generation = [this.#generation, this.#generations.get(id) ?? 0];
    const asked = [
      id,
      version,
      tool.tool.wireSha256,
      call.argumentsSha256,
      orgId,
      identity,
      request.meta ?? null,
    ];
    return createHash('sha256')
      .update(JSON.stringify([generation, asked]))
      .digest('base64url');
  }

  /** The result that is kept under the key, if it is still fresh. */
  find(key: string, now = Date.now()): Cached | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#remove(key);
    if (entry.freshUntil <= now) return undefined;
    this.#add(key, entry);
    const { callId, authPath, madeAt } = entry;
    const result = JSON.parse(entry.result) as ToolResult;
    return { outcome: { callId, authPath, status: 'completed', result }, ageMs: now - madeAt };
  }

  /** Keeps what a completed call gave, unless it is a failure or a question. */
  keep(key: string, { tool }: PreparedCall, outcome: ToolCallOutcome, now = Date.now()): void {
    if (outcome.status !== 'completed' || !tool.cacheSeconds || !isPlainResult(outcome.result)) return;
    const result = JSON.stringify(outcome.result);
    if (result.length > this.config.resultCacheBytes / largestShare) return;
    const { callId, authPath } = outcome;
    const freshUntil = now + tool.cacheSeconds * 1_000;
    this.#remove(key);
    this.#add(key, { integrationId: tool.integration.id, callId, authPath, result, madeAt: now, freshUntil });
    while (this.#bytes > this.config.resultCacheBytes) {
      const [oldest] = this.#entries.keys();
      if (oldest === undefined) return;
      this.#remove(oldest);
    }
  }

  #add(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.result.length;
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry && this.#entries.delete(key)) this.#bytes -= entry.result.length;
  }

  #forget(integrationId: string): void {
    this.#generations.set(integrationId, (this.#generations.get(integrationId) ?? 0) + 1);
    for (const [key, entry] of this.#entries) if (entry.integrationId === integrationId) this.#remove(key);
  }

  #clear(): void {
    this.#generation++;
    this.#entries.clear();
    this.#bytes = 0;
  }
}

function isRepeatable(
  { tool, call }: Pick<PreparedCall, 'tool' | 'call'>,
  { idempotencyKey, resume }: CallRequest,
): boolean {
  if (!tool.cacheSeconds || tool.tool.wireSha256 === undefined || call.method !== undefined) return false;
  // An Idempotency-Key asks for a call in the ledger; answers to questions make a result one person's.
  return idempotencyKey === undefined && resume === undefined;
}

/** Where the vendor is given what a user's token is exchanged for, each token of theirs may allow something else. */
function tokenOf({ userToken }: CallRequest, authMode: string): { token?: string } {
  if (authMode !== 'token_exchange' || !userToken) return {};
  return { token: createHash('sha256').update(userToken.jwt).digest('base64url') };
}

function isPlainResult(result: ToolResult): boolean {
  const type = result['resultType'];
  return result.isError !== true && (type === undefined || type === 'complete');
}

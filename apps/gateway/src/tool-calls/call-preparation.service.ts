import { Inject, Injectable } from '@nestjs/common';
import { executionPolicy, type ResolvedTool, SnapshotStore } from '@switchyard/access';
import type { ApprovalWish, ErrorInfo } from '@switchyard/contracts';
import { Sealer } from '@switchyard/queue';
import { ArgumentValidator, type CheckedTool } from '@switchyard/tool-arguments';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { GatewayMetrics } from '../gateway-metrics.js';
import { RateLimits } from '../rate-limits/rate-limits.service.js';
import { callTarget, type Reached } from './call-target.js';
import { deadlineOf } from './call-terms.js';
import { type CallRequest, type CallTarget, prepareCall, type PreparedCall } from './prepared-call.js';
import { SubjectTokens } from './subject-tokens.service.js';

export type Preparation =
  | { readonly kind: 'refused'; readonly error: ErrorInfo; readonly tool?: CallTarget }
  | { readonly kind: 'prepared'; readonly prepared: PreparedCall };

/** What happens to every call before anybody is told of it. */
@Injectable()
export class CallPreparation {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly validator: ArgumentValidator,
    private readonly sealer: Sealer,
    private readonly subjectTokens: SubjectTokens,
    private readonly rateLimits: RateLimits,
    private readonly metrics: GatewayMetrics,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'calls'>,
  ) {}

  /** Resolves, checks and seals the call; or says why there is none. */
  async prepare(request: CallRequest, ledgerFirst: boolean): Promise<Preparation> {
    const limited = await this.rateLimits.take(request.caller);
    if (limited) return { kind: 'refused', error: limited };
    const reached = await this.reach(request);
    if ('code' in reached) return { kind: 'refused', error: reached };
    const { target, tool } = reached;
    const error = tool && this.#invalid(request, tool);
    if (error) return { kind: 'refused', error, tool: target };
    const deadlineMs = deadlineOf(request, target, this.config.calls.deadlineMs);
    const subjectToken = await this.#subjectToken(request, target);
    const facts = { ledgerFirst, deadlineMs, subjectToken };
    const sealable = { ...request, arguments: reached.arguments };
    const approval = tool && this.#approval(request, tool, deadlineMs);
    if (approval)
      return { kind: 'prepared', prepared: this.#gated(sealable, target, { ...facts, approval }) };
    return { kind: 'prepared', prepared: prepareCall(this.sealer, sealable, target, facts) };
  }

  /** What the call has to wait for, where the integration says that the platform asks a person first. */
  #approval({ caller }: CallRequest, tool: ResolvedTool, deadlineMs: number): ApprovalWish | undefined {
    const { mode, version, terms } = executionPolicy(this.snapshots.current(), caller, tool);
    return mode === 'require_approval' ? { policyVersion: version, deadlineMs, terms } : undefined;
  }

  /**
   * Sealed until the approval expires. When it runs its client may be gone, so that nothing can be asked of it; and what a client
   * answered before belongs to another call.
   */
  #gated(
    { client: _client, resume: _resume, ...request }: CallRequest,
    target: CallTarget,
    { approval, subjectToken }: { approval: ApprovalWish; subjectToken: string | undefined },
  ): PreparedCall {
    const { expiresMs } = approval.terms;
    const facts = { ledgerFirst: true, deadlineMs: expiresMs, subjectToken };
    return { ...prepareCall(this.sealer, request, target, facts), approval };
  }

  #invalid({ validate = true, arguments: args }: CallRequest, tool: ResolvedTool): ErrorInfo | undefined {
    if (!validate) return undefined;
    return this.metrics.stepSync('validate', () => this.validator.check(toChecked(tool), args));
  }

  /** A user's token goes no further than it is needed. */
  async #subjectToken({ userToken }: CallRequest, { integration }: CallTarget): Promise<string | undefined> {
    if (!userToken || integration.authMode !== 'token_exchange') return undefined;
    return this.subjectTokens.seal(userToken);
  }

  /** Nobody is refused by old news: the tool may have been connected or granted a moment ago. */
  async reach(request: CallRequest): Promise<Reached | ErrorInfo> {
    const look = () => callTarget(this.snapshots.current(), request);
    const reached = this.metrics.stepSync('resolve', look);
    if (!('code' in reached)) return reached;
    await this.snapshots.refresh();
    return look();
  }
}

/** The schema is part of the wire object, whose hash the catalog has. */
function toChecked({ tool, integration }: ResolvedTool): CheckedTool {
  const { name, wire, wireSha256: key } = tool;
  return { key, name, integration: integration.slug, inputSchema: wire.inputSchema };
}

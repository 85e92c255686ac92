import { Inject, Injectable } from '@nestjs/common';
import { type LeaseAnswer, type LeaseRequest, PlatformError, toPlatformError } from '@switchyard/contracts';
import { Sealer, verifyToolCall } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { AuditLogService } from '../audit/audit-log.service.js';
import { IntegrationsRepository } from '../integrations/integrations.repository.js';
import type { CheckedAsk, LeaseAsk, LeaseGrant, LeaseGranter, LeaseRefusal } from './lease-ask.js';
import { leaseFacts } from './lease-audit.js';
import { firstRefusal, isChecked } from './lease-checks.js';
import { sealLease } from './seal-lease.js';

/** The granters of this broker, one for each way to authenticate. */
export const leaseGranters = Symbol('lease granters');

/** Answers requests for leases: gather the facts → check → grant by auth mode → write it down → seal to the asker. */
@Injectable()
export class LeasesService {
  constructor(
    private readonly integrations: IntegrationsRepository,
    private readonly sealer: Sealer,
    private readonly audit: AuditLogService,
    private readonly log: Log,
    @Inject(leaseGranters) private readonly granters: readonly LeaseGranter[],
  ) {}

  async answer(request: LeaseRequest): Promise<LeaseAnswer> {
    const ask = await this.#gather(request);
    const refusal = firstRefusal(ask);
    if (refusal)
      return this.#refuse(
        request,
        { authPath: 'auth_context_unavailable', error: refusal.error },
        refusal.check,
      );
    if (!isChecked(ask)) throw new Error('No check refused an ask without integration.');
    const granted = await this.#grant(ask).catch(unexpected);
    if ('error' in granted) return this.#refuse(request, granted, ask.integration.authMode);
    return this.#seal(request, granted);
  }

  async #gather(request: LeaseRequest): Promise<LeaseAsk> {
    return {
      request,
      isSealValid: request.call === null || verifyToolCall(this.sealer, request.call),
      integration: await this.integrations.find(request.integrationId),
      now: Date.now(),
    };
  }

  async #grant(ask: CheckedAsk): Promise<LeaseGrant | LeaseRefusal> {
    const granter = this.granters.find(({ authModes }) => authModes.includes(ask.integration.authMode));
    return (
      granter?.grant(ask) ?? {
        authPath: 'auth_context_unavailable',
        error: new PlatformError('auth_mode_unavailable'),
      }
    );
  }

  /** Nobody gets a credential that is not written down first. */
  async #seal(request: LeaseRequest, { content, ...grant }: LeaseGrant): Promise<LeaseAnswer> {
    const { authPath } = grant;
    try {
      const jwe = await sealLease(content, request.recipient);
      await this.audit.record({
        ...leaseFacts(request),
        action: 'lease_granted',
        result: 'ok',
        authPath,
        details: { principal: grant.principal },
      });
      return { status: 'granted', ...grant, jwe };
    } catch (thrown) {
      return this.#refuse(request, { authPath, error: toPlatformError(thrown) }, 'recipient');
    }
  }

  async #refuse(request: LeaseRequest, { authPath, error }: LeaseRefusal, by: string): Promise<LeaseAnswer> {
    const { orgId, integrationId } = request;
    this.log.warn(
      { orgId, integrationId, callId: request.call?.call.callId, code: error.code, by },
      'lease refused',
    );
    await this.audit.note({
      ...leaseFacts(request),
      action: 'lease_refused',
      result: error.code === 'authorization_server_unavailable' ? 'failed' : 'refused',
      authPath,
      code: error.code,
      details: { by, ...reasonsIn(error) },
    });
    return { status: 'refused', authPath, error: error.toInfo() };
  }
}

/** A broken platform stays one: the job fails, and its asker hears `internal`. */
function unexpected(thrown: unknown): LeaseRefusal {
  if (thrown instanceof PlatformError) return { authPath: 'auth_context_unavailable', error: thrown };
  throw thrown;
}

/** What of an error's details an auditor asks for. */
function reasonsIn({ details }: PlatformError): Record<string, string | string[]> {
  const { reason, scopes } = details ?? {};
  return {
    ...(typeof reason === 'string' && { reason }),
    ...(Array.isArray(scopes) && { scopes: scopes.map(String) }),
  };
}

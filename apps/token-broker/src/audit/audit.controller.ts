import { Controller, Get, Query, Req } from '@nestjs/common';
import { AuditAction, AuthPath, ErrorCodeSchema, PlatformError } from '@switchyard/contracts';
import { decodeCursor, PageQuery, parseQuery, toPage } from '@switchyard/service-kit';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Caller, mayAudit } from '../callers/caller.js';
import { CallersService } from '../callers/callers.service.js';
import { type ChainedEvent, platformChain } from './audit-chain.js';
import { AuditEventsRepository } from './audit-events.repository.js';
import { AuditVerificationService } from './audit-verification.service.js';

const ChainQuery = {
  /** `platform`: what belongs to no organization; the operator's alone. */
  chain: z.enum(['organization', 'platform']).default('organization'),
};
const Time = z.coerce.date().refine((at) => Math.abs(at.getTime()) < 4e12, 'is out of range');
const AuditQuery = z.strictObject({
  ...PageQuery.shape,
  ...ChainQuery,
  action: AuditAction.optional(),
  result: z.enum(['ok', 'refused', 'failed']).optional(),
  user_id: z.uuid().optional(),
  integration_id: z.uuid().optional(),
  call_id: z.uuid().optional(),
  actor_id: z.string().min(1).max(255).optional(),
  auth_path: AuthPath.optional(),
  code: ErrorCodeSchema.optional(),
  from: Time.optional(),
  to: Time.optional(),
});
type Chain = z.output<typeof AuditQuery>['chain'];

/** The audit log of the caller's organization, for its admins and auditors. */
@Controller('api/audit')
export class AuditController {
  constructor(
    private readonly callers: CallersService,
    private readonly rows: AuditEventsRepository,
    private readonly verification: AuditVerificationService,
  ) {}

  @Get()
  async list(@Req() request: FastifyRequest, @Query() query: unknown) {
    const caller = await this.#auditor(request);
    const { limit, cursor, chain, ...filter } = parseQuery(AuditQuery, query);
    const before = cursor === undefined ? null : decodeCursor(z.number().int().positive(), cursor);
    const wanted = {
      ...{ action: filter.action, result: filter.result, from: filter.from, to: filter.to },
      ...{ userId: filter.user_id, integrationId: filter.integration_id, callId: filter.call_id },
      ...{ actorId: filter.actor_id, authPath: filter.auth_path, code: filter.code },
    };
    const rows = await this.rows.list(chainFor(caller, chain), wanted, { before, limit: limit + 1 });
    return toPage(rows, limit, { item: toAnswer, position: ({ sequence }) => sequence });
  }

  @Get('verification')
  async verify(@Req() request: FastifyRequest, @Query() query: unknown) {
    const caller = await this.#auditor(request);
    const { chain } = parseQuery(z.strictObject(ChainQuery), query);
    const found = await this.verification.verify(chainFor(caller, chain));
    if (found.status === 'intact') return found;
    return { status: found.status, first_broken: found.firstBroken, why: found.why };
  }

  async #auditor(request: FastifyRequest): Promise<Caller> {
    const caller = await this.callers.authenticate(request);
    if (!mayAudit(caller))
      throw new PlatformError('forbidden', { message: 'The audit log is for admins and auditors.' });
    return caller;
  }
}

function chainFor(caller: Caller, chain: Chain): string {
  if (chain === 'organization') return caller.orgId;
  if (caller.kind === 'admin' && caller.isOperator) return platformChain;
  throw new PlatformError('forbidden', { message: 'The platform’s own events are for the operator.' });
}

function toAnswer({ sequence, id, event, hash }: ChainedEvent) {
  return {
    ...{ id, sequence, at: new Date(event.at).toISOString(), action: event.action, result: event.result },
    actor: event.actor,
    user_id: event.userId,
    integration_id: event.integrationId,
    call_id: event.callId,
    auth_path: event.authPath,
    code: event.code,
    details: event.details,
    hash: hash.toString('hex'),
  };
}

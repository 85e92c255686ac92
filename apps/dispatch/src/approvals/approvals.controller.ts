import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { approvalStates, PlatformError } from '@switchyard/contracts';
import type { ApiCaller } from '@switchyard/identity';
import { decodeCursor, PageQuery, parseBody, parseQuery, toPage } from '@switchyard/service-kit';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { APPROVALS_DESK, type ApprovalsDesk } from './approvals-desk.js';
import { deciderOf } from './approvers.service.js';

/** PostgreSQL has no text with NUL. */
const Name = z
  .string()
  .max(256)
  .regex(/^[^\0]*$/, 'must not contain NUL');
const ListQuery = z.strictObject({
  ...PageQuery.shape,
  state: z.enum(approvalStates).optional(),
  run_id: z.uuid().optional(),
  agent_id: z.uuid().optional(),
  tool: Name.optional(),
  integration: Name.optional(),
  asked_by: z.uuid().optional(),
  mine: z.enum(['true', 'false']).optional(),
});
const Reason = z.string().max(2_000).optional();
const ApproveBody = z.strictObject({
  reason: Reason,
  arguments_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')
    .optional(),
});
const DenyBody = z.strictObject({ reason: Reason });

/** Calls that wait for a person. The id of an approval is its call's. */
@Controller('api/approvals')
export class ApprovalsController {
  constructor(@Inject(APPROVALS_DESK) private readonly desk: ApprovalsDesk) {}

  @Get()
  async list(@Req() request: FastifyRequest, @Query() query: unknown) {
    const caller = await this.desk.authenticate(request);
    const { limit, cursor, mine, run_id, agent_id, asked_by, ...rest } = parseQuery(ListQuery, query);
    const filter = { ...rest, runId: run_id, agentId: agent_id, askedBy: asked_by };
    const after = cursor === undefined ? null : decodeCursor(z.uuid(), cursor);
    const rows = await this.desk.list(
      caller,
      { ...filter, isMine: mine === 'true' },
      { after, limit: limit + 1 },
    );
    return toPage(rows, limit, { item: (row) => row, position: ({ id }) => id });
  }

  @Get(':id')
  async show(@Req() request: FastifyRequest, @Param('id') id: string) {
    return this.desk.show(await this.desk.authenticate(request), idOf(id));
  }

  @Post(':id/approve')
  @HttpCode(200)
  async approve(@Req() request: FastifyRequest, @Param('id') id: string, @Body() body: unknown) {
    const caller = await this.desk.authenticate(request);
    const { arguments_sha256: argumentsSha256 = null, reason } = parseBody(ApproveBody, body);
    return this.desk.decide(caller, decision(caller, idOf(id), { approved: true, reason, argumentsSha256 }));
  }

  @Post(':id/deny')
  @HttpCode(200)
  async deny(@Req() request: FastifyRequest, @Param('id') id: string, @Body() body: unknown) {
    const caller = await this.desk.authenticate(request);
    const { reason = null } = parseBody(DenyBody, body);
    return this.desk.decide(caller, decision(caller, idOf(id), { approved: false, reason }));
  }
}

type Word = { approved: boolean; reason?: string | null; argumentsSha256?: string | null };

function decision(caller: ApiCaller, callId: string, { approved, reason, argumentsSha256 }: Word) {
  return {
    ...{ v: 1 as const, orgId: caller.orgId, callId, decider: deciderOf(caller), approved },
    reason: reason ?? null,
    argumentsSha256: argumentsSha256 ?? null,
  };
}

function idOf(text: string): string {
  if (!z.uuid().safeParse(text).success) throw new PlatformError('not_found');
  return text.toLowerCase();
}

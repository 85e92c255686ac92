import { Readable } from 'node:stream';
import { Controller, Get, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import type { ApiCaller } from '@switchyard/identity';
import { parseQuery, toPage } from '@switchyard/service-kit';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Caller, CallerGuard } from '../http/caller.guard.js';
import { RunsService } from '../runs/runs.service.js';
import { exportRuns } from './export-runs.js';
import { HistoryRequests } from './history-requests.service.js';
import { HistoryRepository, type RunRow } from './history.repository.js';
import { ExportRuns, ListRuns, toFilter } from './run-filter.js';
import {
  toApprovalAnswer,
  toCallAnswer,
  toRunAnswer,
  toRunDetails,
  toStepAnswer,
} from './to-history-answer.js';

/** Runs and what was of them: a user's own; an admin and an auditor see all of the organization. */
@Controller('api/runs')
@UseGuards(CallerGuard)
export class RunsController {
  constructor(
    private readonly history: HistoryRepository,
    private readonly runs: RunsService,
    private readonly requests: HistoryRequests,
  ) {}

  @Get()
  list(
    @Caller() caller: ApiCaller,
    @Query() query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.requests.serve(caller, reply.raw, async () => {
      const wanted = parseQuery(ListRuns, query);
      const rows = await this.history.runs(toFilter(caller, wanted), wanted.limit + 1);
      return toPage(rows, wanted.limit, { item: toRunAnswer, position: ({ id }) => id });
    });
  }

  /** NDJSON: a line for each run, and after it its steps, calls and approvals. */
  @Get('export')
  async export(
    @Caller() caller: ApiCaller,
    @Query() query: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const wanted = parseQuery(ExportRuns, query);
    toFilter(caller, wanted);
    await this.requests.serve(caller, reply.raw, async () => {
      const lines = Readable.from(
        exportRuns(this.history, (cursor) => toFilter(caller, { ...wanted, cursor })),
      );
      const over = new Promise((resolve) => lines.once('close', resolve));
      void reply
        .header('content-type', 'application/x-ndjson')
        .header('content-disposition', 'attachment; filename="runs.ndjson"')
        .send(lines);
      await over;
    });
  }

  @Get(':id')
  show(
    @Caller() caller: ApiCaller,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.requests.serve(caller, reply.raw, async () => this.#details(await this.#find(caller, id)));
  }

  /** Does nothing to a run that has ended. */
  @Post(':id/cancel')
  @HttpCode(202)
  async cancel(@Caller() caller: ApiCaller, @Param('id') id: string) {
    const run = await this.#find(caller, id);
    if (caller.kind === 'user' && !caller.isAdmin && run.userId !== caller.userId)
      throw new PlatformError('forbidden');
    await this.runs.cancel(caller.orgId, run.id);
    return toRunAnswer(await this.#find(caller, id));
  }

  async #details({ id }: RunRow) {
    const [[run], steps, calls, approvals] = await Promise.all([
      this.history.wholeRuns([id]),
      this.history.steps([id]),
      this.history.calls([id]),
      this.history.approvals([id]),
    ]);
    if (!run) throw new PlatformError('not_found');
    return {
      ...toRunDetails(run),
      steps: steps.map(toStepAnswer),
      calls: calls.map(toCallAnswer),
      approvals: approvals.map(toApprovalAnswer),
    };
  }

  /** `not_found` for another's, too. */
  async #find(caller: ApiCaller, id: string): Promise<RunRow> {
    const runId = z.uuid().safeParse(id);
    const { where, params } = toFilter(caller, {});
    const filter = { where: `${where} AND r.id = $${params.length + 1}`, params: [...params, runId.data] };
    const [run] = runId.success ? await this.history.runs(filter, 1) : [];
    if (!run) throw new PlatformError('not_found');
    return run;
  }
}

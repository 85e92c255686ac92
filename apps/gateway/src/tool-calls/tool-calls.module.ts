import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { GatewayMetrics } from '../gateway-metrics.js';
import { ArgumentValidator } from '@switchyard/tool-arguments';
import { CallPreparation } from './call-preparation.service.js';
import { EndedCalls } from './ended-calls.service.js';
import { GatedCalls } from './gated-calls.service.js';
import { LedgerRepository } from './ledger.repository.js';
import { OutcomeWaiter } from './outcome-waiter.service.js';
import { Questions } from './questions.service.js';
import { ResultCache } from '../result-cache/result-cache.service.js';
import { SubjectTokens } from './subject-tokens.service.js';
import { ToolCallsController } from './tool-calls.controller.js';
import { ToolCallsService } from './tool-calls.service.js';

@Module({
  imports: [AuthModule],
  controllers: [ToolCallsController],
  providers: [
    ArgumentValidator,
    CallPreparation,
    EndedCalls,
    GatedCalls,
    GatewayMetrics,
    LedgerRepository,
    OutcomeWaiter,
    ResultCache,
    Questions,
    SubjectTokens,
    ToolCallsService,
  ],
  exports: [GatewayMetrics, LedgerRepository, Questions, ToolCallsService],
})
export class ToolCallsModule {}

import { Body, Controller, HttpCode, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { Answers } from '../openapi/answers.js';
import { ImportAnswer, ImportBody, ImportQuery } from './import.schemas.js';
import type { ImportAnswerBody, ImportOptions, ImportRequest } from './import.schemas.js';
import { ImportsService } from './imports.service.js';

@ApiTags('import')
@Controller('api/import')
export class ImportsController {
  constructor(private readonly imports: ImportsService) {}

  @Post()
  @HttpCode(200)
  @Answers({
    summary: 'Import an mcp.json, entry by entry',
    status: 200,
    schema: ImportAnswer,
    errors: ['invalid_request', 'payload_too_large'],
  })
  import(
    @Admin() admin: AdminContext,
    @Body({ schema: ImportBody }) body: ImportRequest,
    @Query({ schema: ImportQuery }) query: ImportOptions,
  ): Promise<ImportAnswerBody> {
    return this.imports.import(admin, body, query.dry_run ?? body.dry_run ?? false);
  }
}

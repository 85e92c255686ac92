import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { Answers, pageOf } from '../openapi/answers.js';
import { AgentTools, AskTools } from './agent-tool.schemas.js';
import type { AgentToolsBody, AskToolsQuery } from './agent-tool.schemas.js';
import { AgentToolsService } from './agent-tools.service.js';
import { AgentAnswer, CreateAgent, ListAgents, UpdateAgent } from './agent.schemas.js';
import type { AgentAnswerBody, CreateAgentBody, ListAgentsQuery, UpdateAgentBody } from './agent.schemas.js';
import { AgentsService } from './agents.service.js';

const id = { schema: ResourceId };

@ApiTags('agents')
@Controller('api/agents')
export class AgentsController {
  constructor(
    private readonly agents: AgentsService,
    private readonly tools: AgentToolsService,
  ) {}

  @Post()
  @Answers({
    summary: 'Define an agent: instructions, model, and what it may use',
    status: 201,
    schema: AgentAnswer,
    errors: ['invalid_request', 'slug_taken', 'egress_denied'],
  })
  create(
    @Admin() admin: AdminContext,
    @Body({ schema: CreateAgent }) body: CreateAgentBody,
  ): Promise<AgentAnswerBody> {
    return this.agents.create(admin, body);
  }

  @Get()
  @Answers({ summary: 'List agents', status: 200, schema: pageOf(AgentAnswer), errors: ['invalid_request'] })
  list(
    @Admin() admin: AdminContext,
    @Query({ schema: ListAgents }) query: ListAgentsQuery,
  ): Promise<Page<AgentAnswerBody>> {
    return this.agents.list(admin, query);
  }

  @Get(':id')
  @Answers({ summary: 'Read an agent', status: 200, schema: AgentAnswer, errors: ['not_found'] })
  get(@Admin() admin: AdminContext, @Param('id', id) agentId: string): Promise<AgentAnswerBody> {
    return this.agents.get(admin, agentId);
  }

  @Get(':id/tools')
  @Answers({
    summary:
      'Ask which tools a run would have, whether their calls run by themselves, and what is left out and why',
    status: 200,
    schema: AgentTools,
    errors: ['invalid_request', 'not_found'],
  })
  toolsOf(
    @Admin() admin: AdminContext,
    @Param('id', id) agentId: string,
    @Query({ schema: AskTools }) query: AskToolsQuery,
  ): Promise<AgentToolsBody> {
    return this.tools.ask(admin, agentId, query);
  }

  @Patch(':id')
  @Answers({
    summary: 'Change an agent: what the body names. Runs that have begun keep the form that they began with',
    status: 200,
    schema: AgentAnswer,
    errors: ['invalid_request', 'not_found', 'egress_denied'],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('id', id) agentId: string,
    @Body({ schema: UpdateAgent }) body: UpdateAgentBody,
  ): Promise<AgentAnswerBody> {
    return this.agents.update(admin, agentId, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Answers({
    summary: 'Remove an agent with its schedules, its webhooks and their secrets',
    status: 204,
    errors: ['not_found'],
  })
  remove(@Admin() admin: AdminContext, @Param('id', id) agentId: string): Promise<void> {
    return this.agents.remove(admin, agentId);
  }
}

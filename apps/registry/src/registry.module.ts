import { Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationBootstrap } from '@nestjs/common';
import { APP_GUARD, APP_PIPE } from '@nestjs/core';
import { DatabaseModule } from '@switchyard/database';
import { assertConsumers, QueueClient, QueueModule } from '@switchyard/queue';
import { AdminKeyEntity } from './admin/admin-key.entity.js';
import { AdminKeysRepository } from './admin/admin-keys.repository.js';
import { AdminKeysService } from './admin/admin-keys.service.js';
import { AdminUsersService } from './admin/admin-users.service.js';
import { AdminGuard } from './admin/admin.guard.js';
import { RefusalsService } from './admin/refusals.service.js';
import { AgentScheduleEntity } from './agent-schedules/agent-schedule.entity.js';
import { AgentSchedulesController } from './agent-schedules/agent-schedules.controller.js';
import { AgentSchedulesRepository } from './agent-schedules/agent-schedules.repository.js';
import { ScheduleTimesRepository } from './agent-schedules/schedule-times.repository.js';
import { AgentSchedulesService } from './agent-schedules/agent-schedules.service.js';
import { AgentWebhookEntity } from './agent-webhooks/agent-webhook.entity.js';
import { AgentWebhooksController } from './agent-webhooks/agent-webhooks.controller.js';
import { AgentWebhooksRepository } from './agent-webhooks/agent-webhooks.repository.js';
import { AgentWebhooksService } from './agent-webhooks/agent-webhooks.service.js';
import { AgentToolsService } from './agents/agent-tools.service.js';
import { AgentWarningsService } from './agents/agent-warnings.service.js';
import { AgentEntity } from './agents/agent.entity.js';
import { AgentsController } from './agents/agents.controller.js';
import { AgentsRepository } from './agents/agents.repository.js';
import { AgentsService } from './agents/agents.service.js';
import { ChangesService } from './changes/changes.service.js';
import { REGISTRY_CONFIG } from './config.js';
import type { RegistryConfig } from './config.js';
import { EgressService } from './egress/egress.service.js';
import { SchemaPipe } from './http/schema.pipe.js';
import { IdentityProviderEntity } from './identity-providers/identity-provider.entity.js';
import { IdentityProvidersController } from './identity-providers/identity-providers.controller.js';
import { IdentityProvidersRepository } from './identity-providers/identity-providers.repository.js';
import { IdentityProvidersService } from './identity-providers/identity-providers.service.js';
import { ImportsController } from './imports/imports.controller.js';
import { ImportsService } from './imports/imports.service.js';
import { CacheCheck } from './integrations/cache-check.js';
import { IntegrationActionsController } from './integrations/integration-actions.controller.js';
import { IntegrationActionsService } from './integrations/integration-actions.service.js';
import { IntegrationFactsRepository } from './integrations/integration-facts.repository.js';
import { IntegrationToolsController } from './integrations/integration-tools.controller.js';
import { IntegrationToolsRepository } from './integrations/integration-tools.repository.js';
import { IntegrationToolsService } from './integrations/integration-tools.service.js';
import { IntegrationEntity } from './integrations/integration.entity.js';
import { IntegrationsController } from './integrations/integrations.controller.js';
import { IntegrationsRepository } from './integrations/integrations.repository.js';
import { IntegrationsService } from './integrations/integrations.service.js';
import { LocalIntegrationService } from './integrations/local-integration.service.js';
import { OAuthCheck } from './integrations/oauth-check.js';
import { OAuthDiscoveryService } from './integrations/oauth-discovery.service.js';
import { ToolApprovalsService } from './integrations/tool-approvals.service.js';
import { TransportCheck } from './integrations/transport-check.js';
import { McpConfigsService } from './mcp-configs/mcp-configs.service.js';
import { OrganizationEntity } from './organizations/organization.entity.js';
import { OrganizationsController } from './organizations/organizations.controller.js';
import { OrganizationsRepository } from './organizations/organizations.repository.js';
import { OrganizationsService } from './organizations/organizations.service.js';
import { PoliciesController } from './policies/policies.controller.js';
import { PoliciesRepository } from './policies/policies.repository.js';
import { PoliciesService } from './policies/policies.service.js';
import { PolicyEntity } from './policies/policy.entity.js';
import { SnapshotService } from './snapshot/snapshot.service.js';
import { ToolGroupEntity } from './tool-groups/tool-group.entity.js';
import { ToolGroupsController } from './tool-groups/tool-groups.controller.js';
import { ToolGroupsRepository } from './tool-groups/tool-groups.repository.js';
import { ToolGroupsService } from './tool-groups/tool-groups.service.js';
import { ToolsetEntity } from './toolsets/toolset.entity.js';
import { ToolsetsController } from './toolsets/toolsets.controller.js';
import { ToolsetsRepository } from './toolsets/toolsets.repository.js';
import { ToolsetsService } from './toolsets/toolsets.service.js';
import { UserRecordProcessor } from './users/user-record.processor.js';
import { UserRecordsService } from './users/user-records.service.js';
import { UserEntity } from './users/user.entity.js';
import { UsersController } from './users/users.controller.js';
import { UsersRepository } from './users/users.repository.js';
import { UsersService } from './users/users.service.js';
import { VaultService } from './vault/vault.service.js';
import { VirtualKeyEntity } from './virtual-keys/virtual-key.entity.js';
import { VirtualKeysController } from './virtual-keys/virtual-keys.controller.js';
import { VirtualKeysRepository } from './virtual-keys/virtual-keys.repository.js';
import { VirtualKeysService } from './virtual-keys/virtual-keys.service.js';

const entities = [
  OrganizationEntity,
  AdminKeyEntity,
  AgentEntity,
  AgentScheduleEntity,
  AgentWebhookEntity,
  IdentityProviderEntity,
  IntegrationEntity,
  PolicyEntity,
  ToolGroupEntity,
  ToolsetEntity,
  UserEntity,
  VirtualKeyEntity,
];

@Module({
  controllers: [
    OrganizationsController,
    IdentityProvidersController,
    UsersController,
    PoliciesController,
    ToolGroupsController,
    ToolsetsController,
    AgentsController,
    AgentSchedulesController,
    AgentWebhooksController,
    IntegrationsController,
    IntegrationToolsController,
    IntegrationActionsController,
    VirtualKeysController,
    ImportsController,
  ],
  providers: [
    { provide: APP_GUARD, useClass: AdminGuard },
    { provide: APP_PIPE, useClass: SchemaPipe },
    AdminKeysRepository,
    AgentSchedulesRepository,
    ScheduleTimesRepository,
    AgentSchedulesService,
    AgentToolsService,
    AgentWarningsService,
    AgentWebhooksRepository,
    AgentWebhooksService,
    AgentsRepository,
    AgentsService,
    AdminKeysService,
    AdminUsersService,
    CacheCheck,
    ChangesService,
    EgressService,
    IdentityProvidersRepository,
    IdentityProvidersService,
    ImportsService,
    IntegrationActionsService,
    IntegrationFactsRepository,
    IntegrationToolsRepository,
    IntegrationToolsService,
    IntegrationsRepository,
    IntegrationsService,
    LocalIntegrationService,
    McpConfigsService,
    OAuthCheck,
    OAuthDiscoveryService,
    OrganizationsRepository,
    OrganizationsService,
    PoliciesRepository,
    PoliciesService,
    RefusalsService,
    SnapshotService,
    ToolApprovalsService,
    ToolGroupsRepository,
    ToolGroupsService,
    ToolsetsRepository,
    ToolsetsService,
    TransportCheck,
    UserRecordProcessor,
    UserRecordsService,
    UsersRepository,
    UsersService,
    VaultService,
    VirtualKeysRepository,
    VirtualKeysService,
  ],
})
export class RegistryModule implements OnApplicationBootstrap {
  constructor(private readonly queue: QueueClient) {}

  static forRoot(config: RegistryConfig, options: { queuePrefix?: string } = {}): DynamicModule {
    return {
      module: RegistryModule,
      imports: [
        DatabaseModule.forRoot({
          url: config.databaseUrl,
          schema: 'registry',
          entities,
          applicationName: 'registry',
        }),
        QueueModule.forRoot({
          url: config.queueUrl,
          sealKey: config.sealKey,
          service: 'registry',
          prefix: options.queuePrefix,
        }),
      ],
      providers: [{ provide: REGISTRY_CONFIG, useValue: config }],
    };
  }

  onApplicationBootstrap(): void {
    assertConsumers('registry', this.queue.consumed);
  }
}

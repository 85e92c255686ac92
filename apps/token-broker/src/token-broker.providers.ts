import type { Provider } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import { createEgressPolicy, EgressPolicy } from '@switchyard/mcp-client';
import { QueueClient } from '@switchyard/queue';
import { Log, Metrics, Shutdown } from '@switchyard/service-kit';
import { AuditEventsRepository } from './audit/audit-events.repository.js';
import { AuditLogService } from './audit/audit-log.service.js';
import { AuditRecordProcessor } from './audit/audit-record.processor.js';
import { AuditVerificationService } from './audit/audit-verification.service.js';
import { BrokerKeysRepository } from './broker-keys/broker-keys.repository.js';
import { BrokerKeysService } from './broker-keys/broker-keys.service.js';
import { AdminKeysRepository } from './callers/admin-keys.repository.js';
import { BrowserSessionProcessor } from './callers/browser-session.processor.js';
import { CallersService } from './callers/callers.service.js';
import { IdentityProvidersRepository } from './callers/identity-providers.repository.js';
import { IdentityService } from './callers/identity.service.js';
import { OrganizationsRepository } from './callers/organizations.repository.js';
import { SessionsRepository } from './callers/sessions.repository.js';
import { SessionsService } from './callers/sessions.service.js';
import { UsersRepository } from './callers/users.repository.js';
import type { TokenBrokerConfig } from './config.js';
import { BrowserCodes } from './consents/browser-codes.js';
import { ConnectionsService } from './consents/connections.service.js';
import { ConsentReportsService } from './consents/consent-reports.service.js';
import { ConsentsRepository } from './consents/consents.repository.js';
import { ConsentsService } from './consents/consents.service.js';
import { UserHeadersService } from './consents/user-headers.service.js';
import { CredentialCipher } from './credentials/credential-cipher.js';
import { CredentialNewsService } from './credentials/credential-news.service.js';
import { CredentialsRepository } from './credentials/credentials.repository.js';
import { DisconnectsService } from './credentials/disconnects.service.js';
import { ReconciliationService } from './credentials/reconciliation.service.js';
import { HousekeepingService } from './housekeeping/housekeeping.service.js';
import { IntegrationsRepository } from './integrations/integrations.repository.js';
import { ExchangesService } from './leases/exchanges.service.js';
import { GrantAuthorizationCode } from './leases/grant-authorization-code.js';
import { GrantClientCredentials } from './leases/grant-client-credentials.js';
import { GrantNone } from './leases/grant-none.js';
import { GrantStatic } from './leases/grant-static.js';
import { GrantTokenExchange } from './leases/grant-token-exchange.js';
import { LeaseProcessor } from './leases/lease.processor.js';
import { leaseGranters, LeasesService } from './leases/leases.service.js';
import { StoredTokensService } from './leases/stored-tokens.service.js';
import { SubjectTokensService } from './leases/subject-tokens.service.js';
import { OAuthDiscoveriesService } from './oauth-discoveries/oauth-discoveries.service.js';
import { OAuthDiscoveryProcessor } from './oauth-discoveries/oauth-discovery.processor.js';
import { BackgroundRefreshService } from './refreshes/background-refresh.service.js';
import { LockedCredentialsRepository } from './refreshes/locked-credentials.repository.js';
import { RefreshReportsService } from './refreshes/refresh-reports.service.js';
import { RefreshesService } from './refreshes/refreshes.service.js';
import { SecretLeaseProcessor } from './secret-leases/secret-lease.processor.js';
import { SecretLeasesService } from './secret-leases/secret-leases.service.js';
import { SignInAttempts } from './sign-in/sign-in-attempt.js';
import { SignInsService } from './sign-in/sign-ins.service.js';
import { VaultWriteProcessor } from './vault-writes/vault-write.processor.js';
import { VaultWritesService } from './vault-writes/vault-writes.service.js';
import { DataKeysRepository } from './vault/data-keys.repository.js';
import { DataKeysService } from './vault/data-keys.service.js';
import { KeysService } from './vault/keys.service.js';
import { MasterKeys } from './vault/master-keys.js';
import { SecretOwnersRepository } from './vault/secret-owners.repository.js';
import { SecretsRepository } from './vault/secrets.repository.js';
import { SecretsService } from './vault/secrets.service.js';
import { OAuthClientsRepository } from './vendors/oauth-clients.repository.js';
import { OAuthClientsService } from './vendors/oauth-clients.service.js';
import { VendorsService } from './vendors/vendors.service.js';

/** Nothing is injected before the keys are open: a broker with a wrong master key never starts. */
export function vault(config: TokenBrokerConfig): Provider[] {
  return [
    { provide: MasterKeys, useFactory: () => masterKeysOf(config) },
    DataKeysRepository,
    {
      provide: DataKeysService,
      inject: [DataKeysRepository, MasterKeys],
      useFactory: (rows: DataKeysRepository, keys: MasterKeys) => opened(new DataKeysService(rows, keys)),
    },
    {
      provide: KeysService,
      inject: [Sql, DataKeysService],
      useFactory: (sql: Sql, keys: DataKeysService) => opened(new KeysService(sql, keys)),
    },
    SecretOwnersRepository,
    SecretsRepository,
    SecretsService,
    BrokerKeysRepository,
    {
      provide: BrokerKeysService,
      inject: [BrokerKeysRepository, DataKeysService],
      useFactory: (rows: BrokerKeysRepository, keys: DataKeysService) =>
        opened(new BrokerKeysService(rows, keys)),
    },
    ...[AuditEventsRepository, AuditLogService, AuditVerificationService],
  ];
}

/** Stored credentials, vendors, refreshes, consents. */
export function credentials(config: TokenBrokerConfig): Provider[] {
  return [
    {
      provide: EgressPolicy,
      inject: [Shutdown],
      useFactory: (shutdown: Shutdown) => openEgress(config, shutdown),
    },
    {
      provide: LockedCredentialsRepository,
      inject: [Log, Shutdown],
      useFactory: (log: Log, shutdown: Shutdown) => openRefreshRows(config, log, shutdown),
    },
    ...[VendorsService, OAuthClientsRepository, OAuthClientsService, IntegrationsRepository],
    ...[CredentialsRepository, CredentialCipher, CredentialNewsService, DisconnectsService],
    ...[RefreshReportsService, RefreshesService, BackgroundRefreshService],
    ...[BrowserCodes, ConnectionsService, ConsentsRepository, ConsentsService, ConsentReportsService],
    ...[UserHeadersService, ReconciliationService, HousekeepingService],
  ];
}

/** A further auth mode is one more granter. */
export function leases(): Provider[] {
  const granters = [
    GrantNone,
    GrantStatic,
    GrantClientCredentials,
    GrantAuthorizationCode,
    GrantTokenExchange,
  ];
  return [
    ...[StoredTokensService, SubjectTokensService, ExchangesService],
    ...granters,
    { provide: leaseGranters, inject: granters, useFactory: (...made: object[]) => made },
    LeasesService,
  ];
}

export function people(): Provider[] {
  return [
    ...[IdentityProvidersRepository, IdentityService, OrganizationsRepository, UsersRepository],
    ...[SessionsRepository, SessionsService, AdminKeysRepository, CallersService],
    ...[SignInAttempts, SignInsService],
  ];
}

export function processors(config: TokenBrokerConfig): Provider[] {
  return [
    ...[VaultWritesService, OAuthDiscoveriesService, SecretLeasesService],
    {
      provide: LeaseProcessor,
      inject: [QueueClient, LeasesService, Metrics],
      useFactory: (queue: QueueClient, service: LeasesService, metrics: Metrics) =>
        new LeaseProcessor(queue, service, metrics, config.concurrency),
    },
    {
      provide: SecretLeaseProcessor,
      inject: [QueueClient, SecretLeasesService, Metrics],
      useFactory: (queue: QueueClient, service: SecretLeasesService, metrics: Metrics) =>
        new SecretLeaseProcessor(queue, service, metrics, config.concurrency),
    },
    {
      provide: VaultWriteProcessor,
      inject: [QueueClient, VaultWritesService],
      useFactory: (queue: QueueClient, service: VaultWritesService) =>
        new VaultWriteProcessor(queue, service),
    },
    {
      provide: OAuthDiscoveryProcessor,
      inject: [QueueClient, OAuthDiscoveriesService],
      useFactory: (queue: QueueClient, service: OAuthDiscoveriesService) =>
        new OAuthDiscoveryProcessor(queue, service),
    },
    {
      provide: BrowserSessionProcessor,
      inject: [QueueClient, SessionsService],
      useFactory: (queue: QueueClient, sessions: SessionsService) =>
        new BrowserSessionProcessor(queue, sessions),
    },
    {
      provide: AuditRecordProcessor,
      inject: [QueueClient, AuditLogService],
      useFactory: (queue: QueueClient, audit: AuditLogService) => new AuditRecordProcessor(queue, audit),
    },
  ];
}

function masterKeysOf({ masterKey, formerMasterKeys }: TokenBrokerConfig): MasterKeys {
  return MasterKeys.parse(
    masterKey.reveal(),
    formerMasterKeys.map((key) => key.reveal()),
  );
}

function openEgress({ egress }: TokenBrokerConfig, shutdown: Shutdown): EgressPolicy {
  const policy = createEgressPolicy(egress);
  shutdown.onClose(() => policy.close());
  return policy;
}

async function openRefreshRows(
  { databaseUrl }: TokenBrokerConfig,
  log: Log,
  shutdown: Shutdown,
): Promise<LockedCredentialsRepository> {
  const { rows, close } = await LockedCredentialsRepository.open(databaseUrl, log);
  shutdown.onClose(close);
  return rows;
}

async function opened<T extends { open(): Promise<void> }>(service: T): Promise<T> {
  await service.open();
  return service;
}

export { createDataSource } from './data-source.js';
export type { DataSourceSettings } from './data-source.js';
export { DatabaseModule } from './database.module.js';
export type { DatabaseOptions } from './database.module.js';
export { acceptCall, askApproval, pickUpApproval } from './ledger/accept-call.js';
export type {
  Acceptance,
  AcceptedCall,
  AskedApproval,
  IdempotencyTerms,
  LedgerEntry,
} from './ledger/accept-call.js';
export { findLedgerCalls, ledgerSummary } from './ledger/ledger-call.js';
export type { LedgerCall } from './ledger/ledger-call.js';
export { ledgerError, ledgerOutcome } from './ledger/ledger-outcome.js';
export { grant } from './migrate/grant.js';
export type { Grant } from './migrate/grant.js';
export { migrate } from './migrate/migrate.js';
export type { AppMigrations, MigrateOptions } from './migrate/migrate.js';
export type { QueueStore } from './migrate/queue-store.js';
export { lockModelKey } from './model-key-lock.js';
export { Sql } from './sql.js';

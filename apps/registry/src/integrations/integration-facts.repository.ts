import { Injectable } from '@nestjs/common';
import type { CredentialState, IntegrationState, LastFailure } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';

/** How an integration fares, by the catalog, the workers and the token broker. */
export type IntegrationFacts = {
  state: IntegrationState | null;
  toolCount: number | null;
  lastFailure: LastFailure | null;
  lastSyncAt: Date | null;
  era: string | null;
  protocolVersion: string | null;
  serverName: string | null;
  serverVersion: string | null;
  instructions: string | null;
  capabilities: Record<string, unknown> | null;
  featureProblems: string[] | null;
  breaker: 'closed' | 'open' | 'half_open' | null;
  failures: number | null;
  openedAt: Date | null;
  retryAt: Date | null;
  /** The dispatch worker that holds a stdio integration's child, and the child's process while it runs. */
  workerId: string | null;
  pid: number | null;
  startedAt: Date | null;
  /** Null without a service user. */
  serviceUserActive: boolean | null;
  /** Of the service user's own credential; null: they have not connected. */
  serviceCredential: CredentialState | null;
};

const factsSql = `SELECT i.id AS "integrationId", s.state, s.tool_count AS "toolCount", s.last_failure AS "lastFailure",
    s.last_sync_at AS "lastSyncAt", s.era, s.protocol_version AS "protocolVersion", s.server_name AS "serverName",
    s.server_version AS "serverVersion", s.instructions, s.capabilities, s.feature_problems AS "featureProblems", b.state AS breaker, b.failures, b.opened_at AS "openedAt", b.retry_at AS "retryAt",
    p.worker_id AS "workerId", p.pid, p.started_at AS "startedAt",
    u.active AS "serviceUserActive", c.state AS "serviceCredential"
  FROM unnest($1::uuid[]) AS i(id)
  LEFT JOIN catalog.v_integration_states s ON s.integration_id = i.id
  LEFT JOIN dispatch.v_breakers b ON b.integration_id = i.id
  LEFT JOIN dispatch.v_stdio_processes p ON p.integration_id = i.id
  LEFT JOIN registry.integrations r ON r.id = i.id
  LEFT JOIN registry.users u ON u.id = r.service_user_id AND u.organization_id = r.organization_id
  LEFT JOIN broker.v_credential_states c ON c.integration_id = r.id AND c.user_id = r.service_user_id`;

@Injectable()
export class IntegrationFactsRepository {
  constructor(private readonly sql: Sql) {}

  /** One entry for each id; the caller has checked whose they are. */
  async of(ids: readonly string[]): Promise<Map<string, IntegrationFacts>> {
    if (ids.length === 0) return new Map();
    const rows = await this.sql.query<IntegrationFacts & { integrationId: string }>(factsSql, [ids]);
    return new Map(rows.map((row) => [row.integrationId, row]));
  }
}

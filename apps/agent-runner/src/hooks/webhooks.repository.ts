import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import { WebhookScheme } from '@switchyard/webhooks';

/** A webhook of an agent, as the registry publishes it. Its secrets are in the vault. */
export type Webhook = {
  readonly id: string;
  readonly orgId: string;
  readonly agentId: string;
  readonly name: string;
  readonly scheme: WebhookScheme;
  /** What the agent is asked to do with each delivery. */
  readonly input: string;
  readonly bodyLimitBytes: number;
};

@Injectable()
export class WebhooksRepository {
  constructor(private readonly sql: Sql) {}

  /** An active webhook of an active agent. */
  async find(id: string): Promise<Webhook | undefined> {
    const [row] = await this.sql.query<Webhook>(
      `SELECT w.id, w.organization_id AS "orgId", w.agent_id AS "agentId", w.name, w.scheme, w.input,
         w.body_limit_bytes AS "bodyLimitBytes"
       FROM registry.v_webhooks w JOIN registry.v_agents a ON a.id = w.agent_id AND a.is_active
       WHERE w.id = $1 AND w.is_active`,
      [id],
    );
    return row && { ...row, scheme: WebhookScheme.parse(row.scheme) };
  }

  /** The run that the first of these deliveries began. */
  async findDelivery(sql: Sql, webhookId: string, replayKey: string): Promise<string | undefined> {
    const [row] = await sql.query<{ runId: string }>(
      `SELECT run_id AS "runId" FROM runs.webhook_deliveries WHERE webhook_id = $1 AND replay_key = $2`,
      [webhookId, replayKey],
    );
    return row?.runId;
  }

  /** Remembers a delivery. False where another request has done so first. */
  async remember(sql: Sql, { id, orgId }: Webhook, replayKey: string, runId: string): Promise<boolean> {
    const rows = await sql.query(
      `INSERT INTO runs.webhook_deliveries (webhook_id, replay_key, org_id, run_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [id, replayKey, orgId, runId],
    );
    return rows.length > 0;
  }

  /** Forgets deliveries of which no signature is believed any more, or that nobody sends again after so long. */
  async clean(keptDays: number): Promise<void> {
    await this.sql.query(
      `DELETE FROM runs.webhook_deliveries WHERE received_at < now() - make_interval(days => $1::int)`,
      [keptDays],
    );
  }
}

import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PlatformError, type RunInput } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { Log, Shutdown } from '@switchyard/service-kit';
import { type Delivery, type GreetingAnswer, readGreeting, verifyWebhook } from '@switchyard/webhooks';
import { RunsService } from '../runs/runs.service.js';
import { unattendedCaller } from '../runs/unattended-caller.js';
import { SecretLeases } from '../secrets/secret-leases.service.js';
import { RefusedDeliveries } from './refused-deliveries.service.js';
import { type Webhook, WebhooksRepository } from './webhooks.repository.js';

const cleanEveryMs = 3_600_000;
/** Schemes that sign no time believe a delivery whenever it comes: so long it is known again. */
const keptDays = 90;

/** The run that the delivery began; or began before, when it came for the first time. */
export type Accepted = { readonly runId: string; readonly isDuplicate: boolean };

/** Or the answer to a greeting, which begins none. */
export type Taken = Accepted | { readonly greeting: GreetingAnswer };

/** Takes deliveries of webhooks: find → check the size → check the signature → greet, or record, once → begin the run. */
@Injectable()
export class Deliveries implements OnApplicationBootstrap {
  constructor(
    private readonly webhooks: WebhooksRepository,
    private readonly secrets: SecretLeases,
    private readonly runs: RunsService,
    private readonly refused: RefusedDeliveries,
    private readonly sql: Sql,
    private readonly log: Log,
    private readonly shutdown: Shutdown,
  ) {}

  onApplicationBootstrap(): void {
    const timer = setInterval(() => void this.#forgetOld(), cleanEveryMs);
    this.shutdown.onClose(() => clearInterval(timer));
  }

  /**
   * Resolves once the run is durable. Throws `not_found`, `payload_too_large`, `unauthenticated` where the signature is not
   * believed (why is told to the audit log alone), `invalid_request` for a body that is no text.
   */
  async take(webhookId: string, delivery: Delivery): Promise<Taken> {
    const webhook = await this.webhooks.find(webhookId);
    if (!webhook) throw new PlatformError('not_found');
    if (delivery.body.length > webhook.bodyLimitBytes) {
      const details = { limit_bytes: webhook.bodyLimitBytes };
      throw new PlatformError('payload_too_large', { details });
    }
    const replayKey = await this.#believe(webhook, delivery);
    const greeting = readGreeting(webhook.scheme, delivery);
    if (greeting) return { greeting };
    const input = { text: webhook.input, data: dataOf(webhook, delivery.body) };
    const accepted = await this.#record(webhook, replayKey, input);
    // A run that was recorded before is announced too: its first request may have died before it could.
    await this.runs.announce(webhook.orgId, accepted.runId);
    return accepted;
  }

  async #forgetOld(): Promise<void> {
    await this.webhooks
      .clean(keptDays)
      .catch((err: unknown) => this.log.warn({ err }, 'old deliveries were not forgotten'));
  }

  /** Gives the key by which the delivery is known again. */
  async #believe(webhook: Webhook, delivery: Delivery): Promise<string> {
    const { current, previous } = await this.secrets.find({
      ...{ orgId: webhook.orgId, ownerId: webhook.id, kind: 'webhook' },
    });
    const keys = [current, previous].filter((key) => key !== undefined);
    const verdict = verifyWebhook(delivery, { scheme: webhook.scheme, keys, now: Date.now() });
    if (verdict.accepted) return verdict.replayKey;
    this.refused.note(webhook, verdict.reason);
    throw new PlatformError('unauthenticated', {
      message: 'The signature of the delivery is not believed.',
      next: 'Sign the delivery with the webhook’s secret, by its scheme, at the time of sending.',
    });
  }

  /** One transaction: whoever comes second with the same delivery waits for the first, and gets its run. */
  async #record(webhook: Webhook, replayKey: string, input: RunInput): Promise<Accepted> {
    const known = await this.webhooks.findDelivery(this.sql, webhook.id, replayKey);
    if (known) return { runId: known, isDuplicate: true };
    // Nobody is there: a header that claims a user is not looked at.
    const run = {
      caller: unattendedCaller('webhook', webhook),
      agentId: webhook.agentId,
      input,
      trigger: { id: webhook.id },
    };
    const runId = await this.sql
      .transaction(async (sql) => {
        const inserted = await this.runs.insert(sql, run);
        if (!(await this.webhooks.remember(sql, webhook, replayKey, inserted))) throw new Duplicate();
        return inserted;
      })
      .catch((thrown: unknown) => {
        if (thrown instanceof Duplicate) return undefined;
        throw thrown;
      });
    if (runId !== undefined) return { runId, isDuplicate: false };
    const first = await this.webhooks.findDelivery(this.sql, webhook.id, replayKey);
    if (!first) throw new PlatformError('dependency_unavailable');
    return { runId: first, isDuplicate: true };
  }
}

class Duplicate extends Error {}

function dataOf({ name }: Webhook, body: Buffer): NonNullable<RunInput['data']> {
  try {
    return { source: `webhook ${name}`, text: new TextDecoder('utf-8', { fatal: true }).decode(body) };
  } catch (cause) {
    throw new PlatformError('invalid_request', { message: 'The body is not text in UTF-8.', cause });
  }
}

import { createHmac } from 'node:crypto';
import { webhookKeyBytes } from './keys/webhook-key.js';

export type OutgoingWebhook = {
  /** Unique to the delivery, and the same when it is sent again. Without a point. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly sentAt: number;
  readonly body: string | Buffer;
};

/**
 * The headers of a Standard Webhooks delivery, signed with each of the keys (`whsec_…`): while one is rotated, its
 * receiver may know either.
 */
export function signWebhook(webhook: OutgoingWebhook, keys: readonly string[]): Record<string, string> {
  const timestamp = String(Math.floor(webhook.sentAt / 1_000));
  const signatures = keys.map((key) =>
    createHmac('sha256', webhookKeyBytes('standard', key))
      .update(`${webhook.id}.${timestamp}.`, 'utf8')
      .update(webhook.body)
      .digest('base64'),
  );
  return {
    'webhook-id': webhook.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.map((signature) => `v1,${signature}`).join(' '),
  };
}

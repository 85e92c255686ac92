import { randomUUID } from 'node:crypto';
import { signWebhook } from '@switchyard/webhooks';
import type { Webhook } from '../harness/agents-api.js';
import { type Answer, ask } from '../harness/http.js';
import type { Switchyard } from '../harness/switchyard.js';

export type DeliveryAnswer = Answer<{ run_id: string; duplicate: boolean; code?: string }>;
export type Sent = {
  readonly body?: string;
  readonly id?: string;
  readonly sentAt?: number;
  /** By default the one that was shown when the webhook was made. */
  readonly secrets?: readonly string[];
  readonly headers?: Record<string, string>;
};

/** A delivery as its vendor sends it: by the gateway, with a signature of Standard Webhooks. */
export function deliver(
  { origin }: Pick<Switchyard, 'origin'>,
  { url_path: path, secret }: Webhook,
  { body = '{}', id = `msg_${randomUUID()}`, sentAt = Date.now(), secrets = [secret], headers }: Sent = {},
): Promise<DeliveryAnswer> {
  const signed = signWebhook({ id, sentAt, body }, secrets);
  return ask(new URL(path, origin()), { body, headers: { ...headers, ...signed } });
}

import { z } from 'zod';
import type { WebhookScheme } from './schemes/webhook-scheme.js';
import type { Delivery } from './verify-webhook.js';

const SlackVerification = z.object({ type: z.literal('url_verification'), challenge: z.string() });

/** What the sender of a greeting reads: that somebody is there who knows the secret. */
export type GreetingAnswer = { readonly challenge: string } | { readonly status: 'pong' };

/**
 * The answer to a delivery by which a vendor only asks whether the address is ours; undefined for one that tells of an event.
 * Vendors save no webhook whose greeting is not answered. Ask after `verifyWebhook`: nobody else is owed an answer.
 */
export function readGreeting({ scheme }: WebhookScheme, delivery: Delivery): GreetingAnswer | undefined {
  switch (scheme) {
    case 'slack':
      return challengeOf(delivery.body);
    case 'github':
      // The header is not signed; whoever forges it can do no more than have no run begun.
      return delivery.headers['x-github-event'] === 'ping' ? { status: 'pong' } : undefined;
    default:
      return undefined;
  }
}

function challengeOf(body: Buffer): GreetingAnswer | undefined {
  try {
    const { success, data } = SlackVerification.safeParse(JSON.parse(body.toString('utf8')));
    return success ? { challenge: data.challenge } : undefined;
  } catch {
    // Slack's commands are forms, and no JSON.
    return undefined;
  }
}

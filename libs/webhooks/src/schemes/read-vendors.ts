import { type Claim, decoded, headerOf, Refusal, required, secondsOf, type WebhookHeaders } from './claim.js';
import type { WebhookScheme } from './webhook-scheme.js';

/** GitHub, and all who do as it does. Its delivery id is not signed, so it is worth nothing against replay. */
export function readGithub(headers: WebhookHeaders): Claim {
  const text = required(headerOf(headers, 'x-hub-signature-256'), 'signature_missing');
  return bodyOnly([withoutPrefix(text, 'sha256=')]);
}

/** Stripe: fields parted by commas; several `v1` while a key is rotated, other versions are ignored. */
export function readStripe(headers: WebhookHeaders): Claim {
  const text = required(headerOf(headers, 'stripe-signature'), 'signature_missing');
  const fields = text.split(',').map((field) => field.trim().split('='));
  const valuesOf = (name: string): string[] =>
    fields.filter(([key]) => key === name).map(([, value = '']) => value);
  const [stamp, ...more] = valuesOf('t');
  if (more.length > 0) throw new Refusal('timestamp_malformed');
  const timestamp = secondsOf(stamp);
  return { ...bodyOnly(valuesOf('v1')), before: `${stamp}.`, timestamp };
}

/** Slack, version 0 of its signatures. */
export function readSlack(headers: WebhookHeaders): Claim {
  const text = required(headerOf(headers, 'x-slack-signature'), 'signature_missing');
  const stamp = headerOf(headers, 'x-slack-request-timestamp');
  const timestamp = secondsOf(stamp);
  return { ...bodyOnly([withoutPrefix(text, 'v0=')]), before: `v0:${stamp}:`, timestamp };
}

/** A header of the sender's own choice. */
export function readHmac(
  headers: WebhookHeaders,
  settings: Extract<WebhookScheme, { scheme: 'hmac' }>,
): Claim {
  const { algorithm, encoding, prefix, separator } = settings;
  const text = required(headerOf(headers, settings.header), 'signature_missing');
  const signatures = decoded([withoutPrefix(text, prefix)], encoding, algorithm);
  if (settings.timestamp_header === undefined)
    return { algorithm, before: '', signatures, timestamp: null, id: null, sameBy: 'signed' };
  const stamp = headerOf(headers, settings.timestamp_header);
  const timestamp = secondsOf(stamp);
  return { algorithm, before: `${stamp}${separator}`, signatures, timestamp, id: null, sameBy: 'signed' };
}

function bodyOnly(texts: readonly string[]): Claim {
  const signatures = decoded(texts, 'hex', 'sha256');
  return { algorithm: 'sha256', before: '', signatures, timestamp: null, id: null, sameBy: 'body' };
}

function withoutPrefix(text: string, prefix: string): string {
  if (!text.startsWith(prefix)) throw new Refusal('signature_malformed');
  return text.slice(prefix.length);
}

import { randomBytes } from 'node:crypto';
import { Refusal } from '../schemes/claim.js';
import type { WebhookScheme } from '../schemes/webhook-scheme.js';

const prefix = 'whsec_';
const newKeyBytes = 32;
/** What Standard Webhooks allows. */
const leastBytes = 24;
const mostBytes = 64;

/** A key as Standard Webhooks writes it. */
export function newWebhookKey(): string {
  return `${prefix}${randomBytes(newKeyBytes).toString('base64')}`;
}

/**
 * The bytes of a key: of `whsec_<base64>` for Standard Webhooks, of the text itself for all others, who sign with it as
 * it stands. Throws a `Refusal` (`key_malformed`) for one that is none, or too short to keep anybody out.
 */
export function webhookKeyBytes(scheme: WebhookScheme['scheme'], key: string): Buffer {
  const bytes = scheme === 'standard' ? standardKeyBytes(key) : Buffer.from(key, 'utf8');
  const least = scheme === 'standard' ? leastBytes : 8;
  if (bytes.length < least) throw new Refusal('key_malformed');
  return bytes;
}

function standardKeyBytes(key: string): Buffer {
  const text = key.slice(prefix.length);
  if (!key.startsWith(prefix) || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new Refusal('key_malformed');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length > mostBytes) throw new Refusal('key_malformed');
  return bytes;
}

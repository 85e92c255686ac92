import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { webhookKeyBytes } from './keys/webhook-key.js';
import { type Claim, Refusal, type RefusalReason, type WebhookHeaders } from './schemes/claim.js';
import { readStandard } from './schemes/read-standard.js';
import { readGithub, readHmac, readSlack, readStripe } from './schemes/read-vendors.js';
import type { WebhookScheme } from './schemes/webhook-scheme.js';

/** A request as it came: the body in its very bytes, for a parsed and rewritten one has another signature. */
export type Delivery = { readonly headers: WebhookHeaders; readonly body: Buffer };

export type VerifyOptions = {
  readonly scheme: WebhookScheme;
  /** The keys that are valid now: two while one is being rotated. */
  readonly keys: readonly string[];
  /** Epoch milliseconds. */
  readonly now: number;
};

/** What is known of a delivery that was believed or not. */
export type WebhookVerdict =
  | {
      readonly accepted: true;
      /** The sender's id where it is signed; null elsewhere. */
      readonly id: string | null;
      /** Epoch milliseconds, where a time is signed. */
      readonly sentAt: number | null;
      /**
       * The same for a delivery that comes again, and made of signed parts alone, so that nobody who replays one can
       * change it: the id, else the digest of the body (GitHub, Stripe, Slack: their bodies name the event), else of
       * all that is signed. A plain HMAC without a time has nothing to tell equal bodies apart: remember its keys no
       * longer than equal bodies should count as one.
       */
      readonly replayKey: string;
    }
  | { readonly accepted: false; readonly reason: RefusalReason };

/** Judges a delivery: its form, its signature, and then its time. Compares in constant time, every key and signature. */
export function verifyWebhook(delivery: Delivery, options: VerifyOptions): WebhookVerdict {
  try {
    const claim = readClaim(options.scheme, delivery.headers);
    checkSignature(claim, delivery.body, options);
    checkTime(claim, options);
    return {
      accepted: true,
      id: claim.id,
      sentAt: claim.timestamp === null ? null : claim.timestamp * 1_000,
      replayKey: claim.id ?? digestOf(claim, delivery.body),
    };
  } catch (error) {
    if (error instanceof Refusal) return { accepted: false, reason: error.reason };
    throw error;
  }
}

function readClaim(scheme: WebhookScheme, headers: WebhookHeaders): Claim {
  switch (scheme.scheme) {
    case 'standard':
      return readStandard(headers);
    case 'github':
      return readGithub(headers);
    case 'stripe':
      return readStripe(headers);
    case 'slack':
      return readSlack(headers);
    case 'hmac':
      return readHmac(headers, scheme);
  }
}

function checkSignature(claim: Claim, body: Buffer, { scheme, keys }: VerifyOptions): void {
  let isRight = false;
  for (const key of keys) {
    const expected = createHmac(claim.algorithm, webhookKeyBytes(scheme.scheme, key))
      .update(claim.before, 'utf8')
      .update(body)
      .digest();
    for (const signature of claim.signatures) isRight = timingSafeEqual(signature, expected) || isRight;
  }
  if (!isRight) throw new Refusal('signature_wrong');
}

function checkTime({ timestamp }: Claim, { scheme, now }: VerifyOptions): void {
  if (timestamp === null || !('tolerance_s' in scheme)) return;
  const ageMs = now - timestamp * 1_000;
  if (ageMs > scheme.tolerance_s * 1_000) throw new Refusal('timestamp_too_old');
  if (ageMs < -scheme.tolerance_s * 1_000) throw new Refusal('timestamp_in_future');
}

function digestOf(claim: Claim, body: Buffer): string {
  const before = claim.sameBy === 'signed' ? claim.before : '';
  return createHash('sha256').update(before, 'utf8').update(body).digest('hex');
}

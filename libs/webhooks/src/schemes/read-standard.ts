import { type Claim, decoded, headerOf, Refusal, required, secondsOf, type WebhookHeaders } from './claim.js';

/** Standard Webhooks: `<id>.<timestamp>.<body>`, signatures as `v1,<base64>` parted by spaces. */
export function readStandard(headers: WebhookHeaders): Claim {
  const family = headers['webhook-signature'] === undefined && headers['svix-signature'] ? 'svix' : 'webhook';
  const list = required(headerOf(headers, `${family}-signature`), 'signature_missing');
  const id = required(headerOf(headers, `${family}-id`), 'id_missing');
  // With a point in it, `a.1` and `2` at one end could be read as `a` and `1.2` at the other.
  if (!/^[\x21-\x2D\x2F-\x7E]{1,256}$/.test(id)) throw new Refusal('id_malformed');
  const stamp = headerOf(headers, `${family}-timestamp`);
  const timestamp = secondsOf(stamp);
  const texts = list
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .map((part) => part.slice('v1,'.length));
  return {
    algorithm: 'sha256',
    before: `${id}.${stamp}.`,
    signatures: decoded(texts, 'base64', 'sha256'),
    timestamp,
    id,
    sameBy: 'signed',
  };
}

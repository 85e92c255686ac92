import { newWebhookKey, webhookKeyBytes } from '@switchyard/webhooks';
import type { WebhookScheme } from '@switchyard/webhooks';
import { refuseFields } from '../http/refuse-fields.js';

/** What deliveries are signed by, and whether nobody has it yet but us. */
export type ChosenSecret = { readonly value: string; readonly isMade: boolean };

/** The secret that was given, or a new one where the scheme has a form for it. Throws `invalid_request` at `secret`. */
export function chooseSecret({ scheme }: WebhookScheme, given: string | undefined): ChosenSecret {
  if (given !== undefined) {
    if (!isKey(scheme, given)) refuseFields([{ path: 'secret', message: malformed(scheme) }]);
    return { value: given, isMade: false };
  }
  if (scheme !== 'standard')
    refuseFields([{ path: 'secret', message: `is missing: with ${scheme} it is the sender’s` }]);
  return { value: newWebhookKey(), isMade: true };
}

function isKey(scheme: WebhookScheme['scheme'], key: string): boolean {
  try {
    webhookKeyBytes(scheme, key);
    return true;
  } catch {
    return false;
  }
}

function malformed(scheme: WebhookScheme['scheme']): string {
  return scheme === 'standard'
    ? 'must be whsec_ and the base64 of 24 to 64 bytes'
    : 'must have at least 8 bytes';
}

import { z } from 'zod';

const headerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9-]+$/, 'must be the name of a header')
  .transform((name) => name.toLowerCase());

/** How far a signed time may lie from ours, either way. */
const tolerance = { tolerance_s: z.int().min(1).max(3_600).default(300) };

/** How the deliveries of a webhook are signed. Each form signs the raw body; some sign a time or an id with it. */
export const WebhookScheme = z.discriminatedUnion('scheme', [
  /** Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` (or the same with `svix-`). */
  z.strictObject({ scheme: z.literal('standard'), ...tolerance }),
  /** `X-Hub-Signature-256: sha256=<hex>` over the body. Signs no time. */
  z.strictObject({ scheme: z.literal('github') }),
  /** `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]` over `<t>.<body>`. */
  z.strictObject({ scheme: z.literal('stripe'), ...tolerance }),
  /** `X-Slack-Signature: v0=<hex>` over `v0:<X-Slack-Request-Timestamp>:<body>`. */
  z.strictObject({ scheme: z.literal('slack'), ...tolerance }),
  /** A header of one's own: an HMAC over the body, or over `<timestamp><separator><body>` where a time is signed. */
  z.strictObject({
    scheme: z.literal('hmac'),
    header: headerName,
    encoding: z.enum(['hex', 'base64']).default('hex'),
    algorithm: z.enum(['sha256', 'sha512']).default('sha256'),
    /** Stands before the signature, such as `sha256=`. */
    prefix: z.string().max(32).default(''),
    timestamp_header: headerName.optional(),
    /** Never nothing: digits could then move between time and body. */
    separator: z.enum(['.', ':', '-', '|']).default('.'),
    ...tolerance,
  }),
]);
export type WebhookScheme = z.output<typeof WebhookScheme>;
export type WebhookSchemeInput = z.input<typeof WebhookScheme>;

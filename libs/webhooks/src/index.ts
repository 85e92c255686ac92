export { newWebhookKey, webhookKeyBytes } from './keys/webhook-key.js';
export { Refusal, refusalReasons } from './schemes/claim.js';
export type { RefusalReason, WebhookHeaders } from './schemes/claim.js';
export { WebhookScheme } from './schemes/webhook-scheme.js';
export type { WebhookSchemeInput } from './schemes/webhook-scheme.js';
export { signWebhook } from './sign-webhook.js';
export type { OutgoingWebhook } from './sign-webhook.js';
export { verifyWebhook } from './verify-webhook.js';
export type { Delivery, VerifyOptions, WebhookVerdict } from './verify-webhook.js';

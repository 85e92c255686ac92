import type { ErrorRow } from './errors.js';

/** The rows of the catalog of errors that speak of models and their providers. */
export const modelErrors = {
  model_unavailable: {
    httpStatus: 502,
    retry: 'after_delay',
    family: 'upstream',
    publicMessage: 'The model’s provider did not answer.',
    next: 'Try again later; if it stays so, ask an admin to check the provider and its address.',
  },
  model_rate_limited: {
    httpStatus: 503,
    retry: 'after_delay',
    family: 'upstream',
    publicMessage: 'The model’s provider limits our requests.',
    next: 'Wait as long as Retry-After says.',
  },
  model_denied: {
    httpStatus: 502,
    retry: 'after_action',
    family: 'upstream',
    publicMessage: 'The model’s provider refused our key, or the account has no credit left.',
    next: 'Ask an admin to check the key and the account at the provider.',
  },
  model_rejected: {
    httpStatus: 502,
    retry: 'after_action',
    family: 'upstream',
    publicMessage: 'The model’s provider refused the request.',
    next: 'Ask an admin to check the model’s name and settings; the detail has the provider’s reason.',
  },
  model_context_too_long: {
    httpStatus: 502,
    retry: 'after_action',
    family: 'upstream',
    publicMessage: 'The conversation is longer than the model can read.',
    next: 'Start a new conversation, narrow the tools’ results, or choose a model with a larger context.',
  },
  model_protocol_error: {
    httpStatus: 502,
    retry: 'after_delay',
    family: 'upstream',
    publicMessage: 'The model’s provider answered with something that is no answer of a model.',
    next: 'Try again; if it stays so, ask an admin to check the provider’s address.',
  },
} as const satisfies Record<string, ErrorRow>;

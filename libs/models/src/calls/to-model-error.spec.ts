import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { Secret } from '@switchyard/service-kit';
import { workOf } from '@switchyard/testing';
import { APICallError, JSONParseError, StreamProviderError } from 'ai';
import { createModel } from '../settings/create-model.js';
import { ModelSettings } from '../settings/model-settings.js';
import { retryDelayMs } from './retry-delay.js';
import { ProtocolViolation, toModelError } from './to-model-error.js';

const key = 'canary-of-a-key-1234';
const model = createModel(ModelSettings.parse({ provider: 'openai', model: 'm-1' }), new Secret(key), {
  fetchLimited: () => Promise.reject(new Error('not asked')),
});

function refusal(statusCode: number | undefined, message = 'no', responseHeaders = {}) {
  return new APICallError({
    message,
    url: 'https://a.example',
    requestBodyValues: { messages: ['the whole conversation'] },
    statusCode,
    responseHeaders,
  });
}

describe('what a provider refuses', () => {
  it.each([
    [401, 'Incorrect API key', 'model_denied'],
    [403, 'no', 'model_denied'],
    [429, 'You exceeded your current quota: insufficient_quota', 'model_denied'],
    [400, 'Your credit balance is too low', 'model_denied'],
    [429, 'slow down', 'model_rate_limited'],
    [400, "This model's maximum context length is 8192 tokens", 'model_context_too_long'],
    [400, 'prompt is too long: 210000 tokens > 200000 maximum', 'model_context_too_long'],
    [400, 'The input exceeds the number of tokens allowed', 'model_context_too_long'],
    [413, 'too large', 'model_context_too_long'],
    [404, 'The model does not exist', 'model_rejected'],
    [400, "Invalid 'temperature'", 'model_rejected'],
    [408, 'no', 'model_unavailable'],
    [500, 'no', 'model_unavailable'],
    [529, 'overloaded', 'model_unavailable'],
    [302, 'elsewhere', 'model_protocol_error'],
  ])('%d %s: %s', (status, message, code) => {
    const error = toModelError(refusal(status, message), model);
    expect(error.code).toBe(code);
    expect(error.details).toMatchObject({
      provider: 'openai',
      model: 'm-1',
      status,
      reason: expect.any(String),
    });
  });

  it('is read from its beginning only: a long message costs little', () => {
    const message = 'this exceeds the '.repeat(20_000);
    for (const thrown of [refusal(400, message), new StreamProviderError({ message, statusCode: 400 })]) {
      expect(workOf(() => toModelError(thrown, model))).toBeLessThan(200);
      expect(toModelError(thrown, model).code).toBe('model_rejected');
    }
  });

  it('loses the key before it is cut', () => {
    const { details } = toModelError(refusal(400, `sk-${'a'.repeat(1_990)} ${key}`), model);
    expect(details?.['reason']).toBe('[redacted] [redac');
  });

  it('shows neither the key nor the conversation, not even to a log', () => {
    const error = toModelError(refusal(401, `Bad key ${key}, or sk-proj-abc***xyz`), model);
    const shown = JSON.stringify([error.toInfo(), String((error.cause as Error).message), error.cause]);
    expect(shown).not.toContain(key);
    expect(shown).not.toContain('abc***');
    expect(shown).not.toContain('conversation');
  });

  it.each<[Record<string, string>, number | undefined]>([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('says when to come back: %j', (headers, expected) => {
    expect(toModelError(refusal(429, 'no', headers), model).retryAfterMs).toBe(expected);
  });
});

describe('what a provider says after it began to answer', () => {
  it.each([
    [{ type: 'rate_limit_error' }, 'model_rate_limited'],
    [{ type: 'overloaded_error' }, 'model_unavailable'],
    [{ type: 'authentication_error' }, 'model_denied'],
    [{ code: 'insufficient_quota' }, 'model_denied'],
    [{ type: 'invalid_request_error', code: 'context_length_exceeded' }, 'model_context_too_long'],
    [{ statusCode: 400 }, 'model_rejected'],
    [{}, 'model_unavailable'],
  ])('%j: %s', (facts, code) => {
    expect(toModelError(new StreamProviderError({ message: 'no', ...facts }), model).code).toBe(code);
  });
});

describe('other failures', () => {
  it.each<[unknown, string]>([
    [refusal(undefined, 'Cannot connect to API'), 'model_unavailable'],
    [refusal(200, 'Failed to process successful response'), 'model_unavailable'],
    [new TypeError('terminated'), 'model_unavailable'],
    [new ProtocolViolation('broken_off'), 'model_unavailable'],
    [new ProtocolViolation('tool_calls'), 'model_protocol_error'],
    [new JSONParseError({ text: '<html>', cause: new Error('x') }), 'model_protocol_error'],
    [new PlatformError('result_too_large'), 'model_protocol_error'],
    [new TypeError('fetch failed', { cause: new PlatformError('egress_denied') }), 'egress_denied'],
    ['a bare text', 'model_unavailable'],
  ])('%s: %s', (thrown, code) => {
    expect(toModelError(thrown, model).code).toBe(code);
  });
});

describe('a retry', () => {
  const failed = (code: 'model_unavailable' | 'model_denied', retryAfterMs?: number) =>
    new PlatformError(code, { retryAfterMs });

  it('waits twice as long each time, or as long as the provider says', () => {
    expect([1, 2, 3].map((attempt) => retryDelayMs(failed('model_unavailable'), attempt, 2))).toEqual([
      1_000,
      2_000,
      null,
    ]);
    expect(retryDelayMs(failed('model_unavailable', 5), 1, 2)).toBe(5);
  });

  it('is not made where nothing would change, or after minutes', () => {
    expect(retryDelayMs(failed('model_denied'), 1, 2)).toBeNull();
    expect(retryDelayMs(failed('model_unavailable', 600_000), 1, 2)).toBeNull();
  });
});

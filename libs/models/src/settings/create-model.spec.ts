import { afterEach, describe, expect, it } from '@jest/globals';
import { Secret } from '@switchyard/service-kit';
import { askModel } from '../calls/ask-model.js';
import { createModel, type ModelFetchLimits } from './create-model.js';
import { ModelSettings, type ModelSettingsInput } from './model-settings.js';

const go = { messages: [{ role: 'user' as const, content: 'go' }] };
const key = 'canary-of-a-key-1234';

afterEach(() => {
  delete process.env.OPENAI_BASE_URL;
  delete process.env.ANTHROPIC_BASE_URL;
});

/** What leaves for a provider that then refuses the key. */
async function sentBy(settings: ModelSettingsInput, apiKey: Secret | null = new Secret(key)) {
  const sent: { url: string; headers: Headers; body: any; limits: ModelFetchLimits }[] = [];
  const model = createModel(ModelSettings.parse(settings), apiKey, {
    fetchLimited: (url, init: RequestInit, limits) => {
      const body = JSON.parse(String(init.body));
      sent.push({ url: String(url), headers: new Headers(init.headers), body, limits });
      return Promise.resolve(Response.json({ error: { message: 'no', type: 'x' } }, { status: 401 }));
    },
  });
  await expect(askModel(model, go)).rejects.toMatchObject({ code: 'model_denied' });
  return sent[0]!;
}

describe('a model of', () => {
  it('OpenAI is asked by chat completions, at its own address whatever the environment says', async () => {
    process.env.OPENAI_BASE_URL = 'https://evil.example/v1';
    const { url, headers, body } = await sentBy({ provider: 'openai', model: 'gpt-x', max_output_tokens: 9 });
    expect(url).toBe('https://api.openai.com/v1/chat/completions');
    expect(headers.get('authorization')).toBe(`Bearer ${key}`);
    expect(body).toMatchObject({ model: 'gpt-x', stream: true, stream_options: { include_usage: true } });
  });

  it('Anthropic is asked by messages, at its own address whatever the environment says', async () => {
    process.env.ANTHROPIC_BASE_URL = 'https://evil.example/v1';
    const { url, headers, body } = await sentBy({
      provider: 'anthropic',
      model: 'claude-x',
      max_output_tokens: 9,
    });
    expect(url).toBe('https://api.anthropic.com/v1/messages');
    expect(headers.get('x-api-key')).toBe(key);
    expect(body).toMatchObject({ model: 'claude-x', max_tokens: 9, stream: true });
  });

  it('any other server is asked at its base URL, without a key where it has none', async () => {
    const base_url = 'https://models.example/openai/v1';
    const { url, headers, limits } = await sentBy(
      { provider: 'openai_compatible', model: 'm', base_url, first_byte_timeout_ms: 5_000 },
      null,
    );
    expect(url).toBe(`${base_url}/chat/completions`);
    expect(headers.has('authorization')).toBe(false);
    expect(limits).toEqual({ maxBodyBytes: 33_554_432, headersTimeoutMs: 5_000, bodyIdleTimeoutMs: 60_000 });
  });
});

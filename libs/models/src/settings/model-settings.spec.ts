import { describe, expect, it } from '@jest/globals';
import { workOf } from '@switchyard/testing';
import { createModel, type ModelEgress } from './create-model.js';
import { ModelSettings } from './model-settings.js';

const nowhere: ModelEgress = { fetchLimited: () => Promise.reject(new Error('not asked')) };

describe('settings of a model', () => {
  it('have limits by default', () => {
    expect(ModelSettings.parse({ provider: 'openai', model: 'm' })).toMatchObject({
      timeout_ms: 300_000,
      max_retries: 2,
    });
  });

  it('take a base URL without its last slash', () => {
    const settings = { provider: 'openai_compatible', model: 'm', base_url: 'https://a.example/v1/' };
    expect(ModelSettings.parse(settings)).toMatchObject({ base_url: 'https://a.example/v1' });
  });

  it('cost little, however many slashes a base URL has', () => {
    const settings = {
      provider: 'openai',
      model: 'm',
      base_url: `https://a.example/${'/'.repeat(50_000)}v1`,
    };
    expect(workOf(() => ModelSettings.parse(settings))).toBeLessThan(200);
  });

  it.each([
    { provider: 'openai_compatible', model: 'm' },
    { provider: 'openai_compatible', model: 'm', base_url: 'file:///etc/passwd' },
    { provider: 'openai', model: 'm', base_url: 'https://u:p@a.example/v1' },
    { provider: 'openai', model: 'm', base_url: 'https://a.example/v1?key=k' },
    { provider: 'anthropic', model: 'm', api_key: 'sk-1' },
    { provider: 'other', model: 'm' },
  ])('refuse %j', (settings) => {
    expect(ModelSettings.safeParse(settings).success).toBe(false);
  });

  it.each(['openai', 'anthropic'] as const)('%s needs a key, and takes none from elsewhere', (provider) => {
    const settings = ModelSettings.parse({ provider, model: 'm' });
    expect(() => createModel(settings, null, nowhere)).toThrow(
      expect.objectContaining({ code: 'model_denied' }),
    );
  });
});

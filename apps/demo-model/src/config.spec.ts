import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@switchyard/service-kit';
import { demoModelEnv, toDemoModelConfig } from './config.js';

const key = { DEMO_MODEL_API_KEY: 'sk-f8a1c07d93e2b6544a' };
const configOf = (env: NodeJS.ProcessEnv, args: string[] = []) =>
  toDemoModelConfig(loadConfig('demo-model', demoModelEnv, { ...key, ...env }), args);

describe('the settings of the demonstration model', () => {
  it('keep it on loopback and without a script', () => {
    expect(configOf({})).toMatchObject({ host: '127.0.0.1', port: 0, isScripted: false });
  });

  it('take a script by flag or by setting', () => {
    expect(configOf({}, ['--scripted']).isScripted).toBe(true);
    expect(configOf({ DEMO_MODEL_SCRIPTED: 'true' }).isScripted).toBe(true);
  });

  it('refuse a placeholder for a key', () => {
    expect(() => configOf({ DEMO_MODEL_API_KEY: 'replace-me-with-a-key' })).toThrow(/DEMO_MODEL_API_KEY/);
  });
});

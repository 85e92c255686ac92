import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from '@switchyard/service-kit';
import { registryEnv, toRegistryConfig } from './config.js';
import { readStdioAllowlist } from './integrations/read-stdio-allowlist.js';

const env = {
  SWITCHYARD_SEAL_KEY: 'seal-key-of-this-test-0123456789',
  QUEUE_URL: 'redis://127.0.0.1',
  REGISTRY_DATABASE_URL: 'postgres://registry:password@127.0.0.1/db',
  REGISTRY_ADMIN_KEY: 'admin-key-of-this-test',
};
const problemsOf = (more: Record<string, string>): string => {
  try {
    loadConfig('registry', registryEnv, { ...env, ...more });
  } catch (error) {
    return (error as ConfigError).problems.join('\n');
  }
  return '';
};

describe('the settings', () => {
  it('hold private addresses back unless development asks for them', () => {
    const config = toRegistryConfig(loadConfig('registry', registryEnv, env), []);
    expect(config.egress.allowPrivate).toBe(false);
    expect(problemsOf({ SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true' })).toContain(
      'SWITCHYARD_EGRESS_ALLOW_PRIVATE',
    );
    expect(problemsOf({ SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true', SWITCHYARD_ENV: 'development' })).toBe('');
  });

  it.each(['', 'short', 'change-me-change-me', 'y'.repeat(16)])('refuse the admin key %j', (key) => {
    expect(problemsOf({ REGISTRY_ADMIN_KEY: key })).toContain('REGISTRY_ADMIN_KEY');
  });

  it('print no secret', () => {
    const config = toRegistryConfig(loadConfig('registry', registryEnv, env), []);
    expect(JSON.stringify(config)).not.toMatch(/-of-this-test|password/);
  });
});

describe('the allow-list of stdio commands', () => {
  const file = (text: string) => {
    const path = join(mkdtempSync(join(tmpdir(), 'allowlist-')), 'stdio.json');
    writeFileSync(path, text);
    return path;
  };

  it('is empty without a file', () => {
    expect(readStdioAllowlist(undefined)).toEqual([]);
  });

  it('is read with its defaults', () => {
    expect(readStdioAllowlist(file('[{"name":"a","command":"/bin/a"}]'))).toEqual([
      { name: 'a', command: '/bin/a', args: [], env: [], organizations: ['default'] },
    ]);
  });

  it.each([
    'not json',
    '{}',
    '[{"name":"a","command":"relative"}]',
    '[{"name":"a","command":"/a","shell":true}]',
  ])('stops the start: %s', (text) => {
    expect(() => readStdioAllowlist(file(text))).toThrow(ConfigError);
  });

  it('stops the start when it is missing', () => {
    expect(() => readStdioAllowlist('/nowhere/stdio.json')).toThrow(ConfigError);
  });
});

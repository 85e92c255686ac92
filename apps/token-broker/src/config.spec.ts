import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@switchyard/service-kit';
import { tokenBrokerEnv } from './config.js';

const good = {
  SWITCHYARD_SEAL_KEY: 'seal-key-of-this-test-0123456789',
  QUEUE_URL: 'redis://127.0.0.1:6379',
  TOKEN_BROKER_DATABASE_URL: 'postgres://broker:pw@127.0.0.1/switchyard',
  SWITCHYARD_MASTER_KEY: randomBytes(32).toString('base64'),
};

describe('tokenBrokerEnv', () => {
  it('takes a complete environment', () => {
    expect(loadConfig('token-broker', tokenBrokerEnv, good)).toMatchObject({
      TOKEN_BROKER_LEASE_TTL: 300_000,
    });
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['short', 'c2hvcnQtYnV0LXJhbmRvbQ=='],
    ['default', 'changeme'.repeat(6)],
  ])('refuses a %s master key without repeating it', (_what, key) => {
    const start = () => loadConfig('token-broker', tokenBrokerEnv, { ...good, SWITCHYARD_MASTER_KEY: key });

    expect(start).toThrow(/SWITCHYARD_MASTER_KEY/);
    if (key) expect(start).not.toThrow(key);
  });
});

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

  it.each([
    ['an address with a path', { SWITCHYARD_PUBLIC_URL: 'https://switchyard.example/app' }],
    ['plain http in production', { SWITCHYARD_PUBLIC_URL: 'http://switchyard.example' }],
    ['private addresses in production', { SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true' }],
    ['an admin key in place of its digest', { TOKEN_BROKER_ADMIN_KEY_SHA256: 'ak_secret' }],
    ['a former master key that is none', { SWITCHYARD_FORMER_MASTER_KEYS: 'canary-canary' }],
  ])('refuses %s', (_what, wrong) => {
    const start = () => loadConfig('token-broker', tokenBrokerEnv, { ...good, ...wrong });

    expect(start).toThrow(new RegExp(Object.keys(wrong)[0]!));
    expect(start).not.toThrow(/canary|ak_secret/);
  });

  it('takes several former master keys', () => {
    const former = [randomBytes(32), randomBytes(32)].map((key) => key.toString('base64')).join(', ');
    const { SWITCHYARD_FORMER_MASTER_KEYS: keys } = loadConfig('token-broker', tokenBrokerEnv, {
      ...good,
      SWITCHYARD_FORMER_MASTER_KEYS: former,
    });

    expect(keys?.map((key) => key.reveal()).join(', ')).toBe(former);
    expect(JSON.stringify(keys)).not.toContain(former.slice(0, 8));
  });
});

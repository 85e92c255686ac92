import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { snapshotOf, virtualKey } from '../test-fixtures/snapshot-builder.js';
import { anonymousCaller, authenticateVirtualKey, hashVirtualKey } from './authenticate-virtual-key.js';
import { buildSnapshot } from './snapshot.js';
import { rowsOf } from './snapshot-change.js';

const key = 'vk_secret';
const now = 1_000;
const verdictOf = (fields: { expiresAt?: Date; revokedAt?: Date }, presented = key) =>
  authenticateVirtualKey(
    snapshotOf([], [virtualKey({ mcpConfigs: [], keyHash: hashVirtualKey(key), ...fields })]),
    presented,
    now,
  );

describe('authenticateVirtualKey', () => {
  it('knows a key by its hash and makes a caller without a user', () => {
    expect(verdictOf({})).toMatchObject({
      status: 'ok',
      caller: { kind: 'service', userId: null, runKind: 'mcp' },
    });
  });

  it.each([`${key} `, 'VK_SECRET', '', 'vk_', hashVirtualKey(key)])('does not know %j', (presented) => {
    expect(verdictOf({}, presented)).toEqual({ status: 'unknown' });
  });

  it('refuses at the moment of expiry, not before', () => {
    expect(verdictOf({ expiresAt: new Date(now) })).toEqual({ status: 'expired' });
    expect(verdictOf({ expiresAt: new Date(now + 1) }).status).toBe('ok');
  });

  it('calls a key that is revoked and expired revoked', () => {
    expect(verdictOf({ expiresAt: new Date(0), revokedAt: new Date(0) })).toEqual({ status: 'revoked' });
  });
});

describe('anonymousCaller', () => {
  it('belongs to the organization default', () => {
    expect(anonymousCaller(snapshotOf([]))).toMatchObject({ kind: 'anonymous', virtualKeyId: null });
  });

  it('is nobody before the registry is migrated', () => {
    const { organizations: _, ...rows } = rowsOf(snapshotOf([]));
    expect(() => anonymousCaller(buildSnapshot({ ...rows, organizations: [] }, 1))).toThrow(PlatformError);
  });
});

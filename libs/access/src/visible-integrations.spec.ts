import { describe, expect, it } from '@jest/globals';
import {
  idOf,
  keyCaller,
  keyFor,
  registered,
  snapshotOf,
  userCaller,
} from '../test-fixtures/snapshot-builder.js';
import type { Registered } from '../test-fixtures/snapshot-builder.js';
import { anonymousCaller } from './authenticate-virtual-key.js';
import { resolveTools } from './resolve-tools.js';

describe('scopes', () => {
  const me = idOf('me');
  const other = idOf('other organization');
  const mine = registered({ slug: 'mail', scope: 'user', ownerUserId: me }, ['mine']);
  const ours = registered({ slug: 'mail' }, ['ours']);
  const everybodys = registered({ slug: 'mail', scope: 'global', orgId: other }, ['everybodys']);
  const key = keyFor('mail');
  const resolve = (all: Registered[], caller = userCaller(key, me)) =>
    resolveTools(snapshotOf(all, [{ ...key, userId: caller.userId }]), caller).map(
      (tool) => tool.outwardName,
    );

  it('let a user’s own integration win over the organization’s over the global one', () => {
    expect(resolve([everybodys, ours, mine])).toEqual(['mail_mine']);
    expect(resolve([everybodys, ours])).toEqual(['mail_ours']);
    expect(resolve([everybodys])).toEqual(['mail_everybodys']);
  });

  it('hide users’ integrations from others, from machine keys and from unattended runs', () => {
    expect(resolve([mine, ours], userCaller(key, idOf('somebody else')))).toEqual(['mail_ours']);
    expect(resolve([mine, ours], keyCaller(key))).toEqual(['mail_ours']);
    expect(resolve([mine, ours], userCaller(key, me, 'schedule'))).toEqual(['mail_ours']);
  });

  it('never fall through to another server because the own one is off', () => {
    const off = registered({ slug: 'mail', enabled: false }, ['ours']);
    const notInChat = registered({ slug: 'mail', availableInChat: false }, ['ours']);
    expect(resolve([everybodys, off])).toEqual([]);
    expect(resolve([everybodys, notInChat])).toEqual([]);
  });

  it('ask available_in_chat where a user is present and available_to_autonomous where nobody is', () => {
    const chatOnly = registered({ slug: 'mail', availableToAutonomous: false }, ['chat']);
    expect(resolve([chatOnly])).toEqual(['mail_chat']);
    expect(resolve([chatOnly], keyCaller(key))).toEqual([]);
    expect(resolve([chatOnly], userCaller(key, me, 'webhook'))).toEqual([]);
    const autonomousOnly = registered({ slug: 'mail', availableInChat: false }, ['auto']);
    expect(resolve([autonomousOnly])).toEqual([]);
    expect(resolve([autonomousOnly], keyCaller(key, 'async_api'))).toEqual(['mail_auto']);
  });
});

describe('anonymous callers', () => {
  it('have every tool of integrations that are called as the platform, and no other', () => {
    const modes = ['none', 'headers', 'client_credentials', 'authorization_code', 'token_exchange'] as const;
    const snapshot = snapshotOf(
      modes.map((authMode) => registered({ slug: authMode.replace('_', '-'), authMode }, ['t'])),
    );
    const found = resolveTools(snapshot, anonymousCaller(snapshot)).map(
      ({ integration }) => integration.authMode,
    );
    expect(found).toEqual(['client_credentials', 'headers', 'none']);
  });
});

import { describe, expect, it } from '@jest/globals';
import { workOf } from '@switchyard/testing';
import {
  idOf,
  keyCaller,
  keyFor,
  registered,
  snapshotOf,
  virtualKey,
} from '../test-fixtures/snapshot-builder.js';
import type { Registered } from '../test-fixtures/snapshot-builder.js';
import type { IntegrationRecord, VirtualKeyRecord } from './records.js';
import type { RequestFilter } from './request-filter.js';
import { findTool, resolveTools } from './resolve-tools.js';

const names = (all: Registered[], key: VirtualKeyRecord, filters?: RequestFilter) =>
  resolveTools(snapshotOf(all, [key]), keyCaller(key), filters).map((tool) => tool.outwardName);

const files = (fields: Partial<IntegrationRecord> = {}) =>
  registered({ slug: 'files', ...fields }, ['read', 'write', 'rm']);
const grant = (toolsToExecute: string[] | null) =>
  virtualKey({ mcpConfigs: [{ mcpClientName: 'files', toolsToExecute }] });

describe('client config', () => {
  it.each([
    ['both absent: every tool', null, null, ['files_read', 'files_rm', 'files_write']],
    ['an empty list to execute: no tool', [], null, []],
    [
      'a star: every tool, and the skip list is not asked',
      ['*'],
      ['rm'],
      ['files_read', 'files_rm', 'files_write'],
    ],
    [
      'a list to execute: those, and the skip list is not asked',
      ['read', 'rm'],
      ['rm'],
      ['files_read', 'files_rm'],
    ],
    ['an empty list to execute beats the skip list', [], ['rm'], []],
    ['a skip list alone: all but those', null, ['rm'], ['files_read', 'files_write']],
    ['an empty skip list: every tool', null, [], ['files_read', 'files_rm', 'files_write']],
    ['outward names work too', ['files_read'], null, ['files_read']],
    ['names are exact', ['READ', 'rea', 'ｒead'], null, []],
  ])('%s', (_what, toolsToExecute, toolsToSkip, expected) => {
    expect(names([files({ toolsToExecute, toolsToSkip })], keyFor('files'))).toEqual(expected);
  });

  it('lets an admin switch a tool off, but not bring back one that is gone', () => {
    const gone = registered(
      { slug: 'files', toolOverrides: { read: { enabled: true }, write: { enabled: false } } },
      [{ name: 'read', enabled: false }, 'write', 'rm'],
    );
    expect(names([gone], keyFor('files'))).toEqual(['files_rm']);
  });
});

describe('grants of a virtual key', () => {
  it.each([
    ['absent list: all of the client', null, ['files_read', 'files_rm', 'files_write']],
    ['star: all of the client', ['*'], ['files_read', 'files_rm', 'files_write']],
    ['empty list: nothing', [], []],
    ['a list: those', ['read', 'unknown'], ['files_read']],
  ])('%s', (_what, list, expected) => {
    expect(names([files()], grant(list))).toEqual(expected);
  });

  it('are nothing without mcp_configs', () => {
    expect(names([files()], virtualKey({ mcpConfigs: [] }))).toEqual([]);
  });

  it('find web-search by web_search', () => {
    expect(names([registered({ slug: 'web-search' }, ['go'])], keyFor('web_search'))).toEqual([
      'web-search_go',
    ]);
  });

  it('add up over several configs of one client', () => {
    const key = virtualKey({
      mcpConfigs: ['read', 'rm'].map((tool) => ({ mcpClientName: 'files', toolsToExecute: [tool] })),
    });
    expect(names([files()], key)).toEqual(['files_read', 'files_rm']);
  });

  it('end when the key is revoked, whatever the caller says', () => {
    expect(names([files()], { ...keyFor('files'), revokedAt: new Date(0) })).toEqual([]);
  });

  it('do not widen a client config', () => {
    expect(names([files({ toolsToExecute: ['read'] })], grant(['read', 'rm']))).toEqual(['files_read']);
  });

  it('do not reach another organization', () => {
    const other = { ...keyFor('files'), orgId: idOf('other') };
    expect(names([files()], other)).toEqual([]);
    const snapshot = snapshotOf([files()], [other]);
    expect(resolveTools(snapshot, { ...keyCaller(other), orgId: files().integration.orgId })).toEqual([]);
  });
});

describe('request filters', () => {
  const all = [files(), registered({ slug: 'web-search' }, ['go'])];
  const key = keyFor('files', 'web-search');
  it.each<[string, RequestFilter, string[]]>([
    ['no list: no filter', {}, ['files_read', 'files_rm', 'files_write', 'web-search_go']],
    ['an empty include list of clients: nothing', { includeClients: [] }, []],
    [
      'an empty exclude list: no filter',
      { excludeClients: [], excludeTools: [] },
      ['files_read', 'files_rm', 'files_write', 'web-search_go'],
    ],
    ['include clients', { includeClients: ['web_search'] }, ['web-search_go']],
    [
      'include beats exclude',
      { includeClients: ['files'], excludeClients: ['files'], includeTools: ['files_rm'] },
      ['files_rm'],
    ],
    ['exclude clients', { excludeClients: ['files'] }, ['web-search_go']],
    ['include tools', { includeTools: ['files_rm', 'web-search_*', 'rm'] }, ['files_rm', 'web-search_go']],
    ['an empty include list of tools: nothing', { includeTools: [] }, []],
    ['exclude tools', { excludeTools: ['files-*'] }, ['web-search_go']],
    [
      'clients and tools both have to agree',
      { includeClients: ['files'], includeTools: ['web-search_go'] },
      [],
    ],
  ])('%s', (_what, filters, expected) => {
    expect(names(all, key, filters)).toEqual(expected);
  });

  it('cannot widen a grant', () => {
    expect(names(all, grant(['read']), { includeClients: ['*'], includeTools: ['*'] })).toEqual([
      'files_read',
    ]);
  });
});

describe('states', () => {
  it.each([
    ['connected', true],
    ['unstable', true],
    ['needs_reauth', true],
    ['connecting', true],
    ['disconnected', false],
    ['disabled', false],
    [null, false],
  ] as const)('%s: served is %s', (state, isThere) => {
    expect(names([registered({ slug: 'files' }, ['read'], state)], keyFor('files')).length === 1).toBe(
      isThere,
    );
  });

  it('hides a disabled integration before catalog-sync has noticed', () => {
    expect(names([files({ enabled: false })], keyFor('files'))).toEqual([]);
  });
});

describe('a resolved tool', () => {
  const overrides = { a: { safe: false, deadlineMs: 5 }, b: { safe: true } };
  const one = registered({ slug: 's', toolOverrides: overrides, deadlineMs: 70 }, [
    { name: 'a', annotations: { readOnlyHint: true } },
    { name: 'b', annotations: { readOnlyHint: false, destructiveHint: true } },
    { name: 'c', annotations: { idempotentHint: true } },
    'constructor',
  ]);
  const key = keyFor('s');
  const snapshot = snapshotOf([one], [key]);
  const find = (name: string) => findTool(snapshot, keyCaller(key), name);

  it('is safe by an admin’s word, else by the vendor’s hints', () => {
    expect(['s_a', 's_b', 's_c', 's_constructor'].map((name) => find(name)?.safe)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('has the tool’s own deadline, else the integration’s', () => {
    expect([find('s_a')?.deadlineMs, find('s_b')?.deadlineMs]).toEqual([5, 70]);
  });

  it('carries the wire object unchanged but for its name', () => {
    expect(find('s_a')?.wire).toEqual({ ...one.tools[0]?.wire, name: 's_a' });
  });

  it('is found by its exact name alone', () => {
    for (const twin of ['S_a', 's_A', 's_а', 's_a ', 'a', 's-a', 's_', '__proto__'])
      expect(find(twin)).toBeUndefined();
  });
});

describe('speed', () => {
  it('lists 5,000 tools from the cache and finds one by a look-up', () => {
    const big = registered(
      { slug: 'big' },
      Array.from({ length: 5_000 }, (_, n) => `tool_${n}`),
    );
    const key = keyFor('big');
    const snapshot = snapshotOf([big], [key]);
    const first = resolveTools(snapshot, keyCaller(key));
    expect(first).toHaveLength(5_000);
    expect(resolveTools(snapshot, keyCaller(key, 'bff'))).toBe(first);
    const look = () => {
      for (let n = 0; n < 5_000; n++) findTool(snapshot, keyCaller(key), `big_tool_${n}`);
    };
    expect(workOf(look)).toBeLessThan(500);
  });
});

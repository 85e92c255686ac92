import { describe, expect, it } from '@jest/globals';
import {
  configs,
  idOf,
  keyCaller,
  keyFor,
  orgId,
  registered,
  snapshotOf,
  tokenCaller,
  toolset,
  userCaller,
  virtualKey,
} from '../test-fixtures/snapshot-builder.js';
import type { CallerContext } from '@switchyard/contracts';
import type { Registered } from '../test-fixtures/snapshot-builder.js';
import { anonymousCaller } from './authenticate-virtual-key.js';
import { explainMissing } from './explain-missing.js';
import type { ToolsetRecord } from './grant-records.js';
import type { VirtualKeyRecord } from './records.js';
import { findTool, resolveTools } from './resolve-tools.js';
import { findToolset, isAttached, rateLimitOf, toolModeOf } from './toolsets.js';

const files = registered({ slug: 'files' }, ['read', 'write', 'a.b']);
const notes = registered({ slug: 'notes' }, ['read', 'add']);
const key = virtualKey({ mcpConfigs: configs(['files', ['write']]) });
const bundle = (fields: Partial<ToolsetRecord> = {}) =>
  toolset({
    slug: 'kit',
    virtualKeyIds: [key.id],
    mcpConfigs: configs('notes', ['files', ['read']]),
    ...fields,
  });
const at = (set: ToolsetRecord, by: VirtualKeyRecord = key): CallerContext => ({
  ...keyCaller(by),
  toolsetId: set.id,
});
const tools = (set: ToolsetRecord, caller = at(set), all: Registered[] = [files, notes]) =>
  resolveTools(snapshotOf(all, [key], { toolsets: [set] }), caller);
const names = (...args: Parameters<typeof tools>) => tools(...args).map(({ outwardName }) => outwardName);

describe('a toolset', () => {
  it('is all that there is at its address', () => {
    expect(names(bundle())).toEqual(['files_read', 'notes_add', 'notes_read']);
  });

  it('adds its tools to those that the caller has elsewhere, under their usual names', () => {
    const renamed = bundle({
      prefix: false,
      mcpConfigs: [
        {
          mcpClientName: 'notes',
          toolsToExecute: ['add'],
          tools: { add: { name: 'jot', description: 'x' } },
        },
      ],
    });
    expect(names(renamed, keyCaller(key))).toEqual(['files_write', 'notes_add']);
    expect(tools(renamed, keyCaller(key))[1]?.wire.description).toBeUndefined();
    expect(names(renamed)).toEqual(['jot']);
  });

  it('renames and describes tools, and gives their slug before the name where it has prefixes', () => {
    const mcpConfigs = [
      {
        mcpClientName: 'notes',
        toolsToExecute: null,
        tools: { add: { name: 'jot', description: 'Writes it down.' } },
      },
    ];
    const [jot, read] = tools(bundle({ mcpConfigs }));
    expect(jot).toMatchObject({
      outwardName: 'notes_jot',
      tool: { name: 'add' },
      wire: { name: 'notes_jot', description: 'Writes it down.', inputSchema: { type: 'object' } },
    });
    expect(read?.outwardName).toBe('notes_read');
    const snapshot = snapshotOf([files, notes], [key], { toolsets: [bundle({ mcpConfigs })] });
    expect(findTool(snapshot, at(bundle()), 'notes_jot')).toBe(resolveTools(snapshot, at(bundle()))[0]);
    expect(findTool(snapshot, at(bundle()), 'notes_add')).toBeUndefined();
  });

  it('gives bare names where it has no prefixes; the first in the order of slugs keeps what two want', () => {
    const bare = bundle({ prefix: false, mcpConfigs: configs('notes', 'files') });
    expect(names(bare)).toEqual(['a_b', 'add', 'read', expect.stringMatching(/^read_[0-9a-f]{8}$/), 'write']);
    expect(tools(bare)[2]?.integration.slug).toBe('files');
  });

  it('keeps its names whatever the state of its integrations', () => {
    const bare = bundle({ prefix: false, mcpConfigs: configs('notes', 'files') });
    const gone = registered({ slug: 'files' }, [{ name: 'read', enabled: false }, 'write', 'a.b']);
    const down = registered({ slug: 'files' }, ['read', 'write', 'a.b'], 'disconnected');
    const before = names(bare).filter((name) => name.startsWith('read_'));
    for (const other of [gone, down]) {
      expect(names(bare, at(bare), [other, notes])).toEqual(expect.arrayContaining(before));
      expect(names(bare, at(bare), [other, notes])).not.toContain('read');
    }
    const snapshot = snapshotOf([down, notes], [key], { toolsets: [bare] });
    expect(explainMissing(snapshot, at(bare), 'read')).toMatchObject({
      code: 'integration_unavailable',
      slug: 'files',
    });
    expect(explainMissing(snapshot, at(bare), 'files_read')).toEqual({ code: 'tool_not_found' });
  });

  it('lets a name that an admin gave win over a tool’s own', () => {
    const mcpConfigs = [
      ...configs('files'),
      { mcpClientName: 'notes', toolsToExecute: ['add'], tools: { add: { name: 'read' } } },
    ];
    const found = tools(bundle({ prefix: false, mcpConfigs })).find(
      ({ outwardName }) => outwardName === 'read',
    );
    expect(found?.tool.name).toBe('add');
  });

  it('is there for its own callers alone: keys by themselves, users by id or role', () => {
    const me = idOf('me');
    const mine = { ...keyFor(), id: idOf('mine'), userId: me };
    const set = bundle({ userIds: [me], roles: ['dev'] });
    const snapshot = snapshotOf([files, notes], [key, mine], { toolsets: [set] });
    const has = (caller: Parameters<typeof isAttached>[2]) => {
      const [attached, count] = [
        isAttached(snapshot, set, caller),
        resolveTools(snapshot, { ...caller, toolsetId: set.id }).length,
      ];
      expect(count > 0).toBe(attached);
      return attached;
    };
    expect(has(keyCaller(key))).toBe(true);
    expect(has(tokenCaller({ userId: me }))).toBe(true);
    expect(has(tokenCaller({ userId: idOf('you'), roles: ['dev'] }))).toBe(true);
    expect(has(tokenCaller({ userId: idOf('you'), roles: ['Dev'] }))).toBe(false);
    expect(has(userCaller(mine, me))).toBe(false);
    expect(has(tokenCaller({ userId: me, orgId: idOf('others') }))).toBe(false);
    expect(has(anonymousCaller(snapshot))).toBe(false);
  });

  it('of another organization, switched off or unknown is no toolset', () => {
    const foreign = { ...bundle(), id: idOf('foreign'), slug: 'foreign', orgId: idOf('others') };
    const snapshot = snapshotOf([files, notes], [key], { toolsets: [bundle(), foreign] });
    expect(findToolset(snapshot, orgId, 'kit')?.id).toBe(bundle().id);
    expect(findToolset(snapshot, orgId, 'foreign')).toBeUndefined();
    for (const id of [foreign.id, idOf('gone')])
      expect(resolveTools(snapshot, { ...keyCaller(key), toolsetId: id })).toEqual([]);
  });

  it('holds nothing that the integration hides', () => {
    const hidden = registered({ slug: 'files', toolsToExecute: ['write'] }, ['read', 'write']);
    const all = bundle({ mcpConfigs: configs('files') });
    expect(names(all, at(all), [hidden, notes])).toEqual(['files_write']);
  });
});

describe('what is shared with a client', () => {
  it('narrows what the user has, and moves no names', () => {
    const bare = bundle({ prefix: false, userIds: [idOf('me')], mcpConfigs: configs('notes', 'files') });
    const caller = { ...tokenCaller({ toolsetId: bare.id }), sharedIntegrationIds: [notes.integration.id] };
    expect(names(bare, caller)).toEqual(['add', expect.stringMatching(/^read_/)]);
    expect(names(bare, { ...caller, sharedIntegrationIds: [] })).toEqual([]);
  });
});

describe('a tool of a pinned integration', () => {
  const pinned = (pinState: 'approved' | 'pending' | 'changed', fields = {}) =>
    registered({ slug: 'files', pinned: true, ...fields }, [{ name: 'read', pinState }, 'write']);
  const reader = keyFor('files');
  const explain = (one: Registered, by = reader, name = 'files_read') =>
    explainMissing(snapshotOf([one], [by]), keyCaller(by), name);

  it('is served only as it was approved, while the others go on', () => {
    const list = (one: Registered) =>
      resolveTools(snapshotOf([one], [reader]), keyCaller(reader)).map(({ outwardName }) => outwardName);
    expect(list(pinned('approved'))).toEqual(['files_read', 'files_write']);
    expect(list(pinned('changed'))).toEqual(['files_write']);
    expect(list(pinned('pending'))).toEqual(['files_write']);
    expect(list(pinned('changed', { pinned: false }))).toEqual(['files_read', 'files_write']);
  });

  it('is said to wait, to those who have it, and to nobody else', () => {
    const about = { slug: 'files', integrationId: files.integration.id };
    expect(explain(pinned('changed'))).toEqual({ code: 'tool_unapproved', ...about });
    expect(explain(pinned('changed', { toolsToExecute: ['write'] }))).toEqual({ code: 'tool_not_found' });
    const other = virtualKey({ mcpConfigs: configs(['files', ['write']]) });
    expect(explain(pinned('changed'), other)).toEqual({ code: 'tool_not_found' });
    const bare = bundle({ prefix: false, mcpConfigs: configs('files') });
    const snapshot = snapshotOf([pinned('changed')], [key], { toolsets: [bare] });
    expect(explainMissing(snapshot, at(bare), 'read').code).toBe('tool_unapproved');
    expect(explainMissing(snapshot, at(bare), 'read', { excludeClients: ['files'] }).code).toBe(
      'tool_not_found',
    );
  });
});

describe('a caller’s settings', () => {
  const limited = { ...key, rateLimit: { limit: 5, intervalMs: 1_000 }, toolMode: 'search' as const };
  const organization = {
    id: orgId,
    slug: 'default',
    name: 'x',
    userRateLimit: { limit: 9, intervalMs: 60_000 },
  };
  const snapshot = snapshotOf([files], [limited, { ...keyFor(), id: idOf('mine'), userId: idOf('me') }], {
    organizations: [organization],
    toolsets: [bundle()],
  });

  it('are the toolset’s or the key’s mode', () => {
    expect(toolModeOf(snapshot, keyCaller(limited))).toBe('search');
    expect(toolModeOf(snapshot, at(bundle()))).toBe('all');
    expect(toolModeOf(snapshot, tokenCaller())).toBe('all');
  });

  it('are the key’s limit, else the organization’s for a user', () => {
    expect(rateLimitOf(snapshot, keyCaller(limited))).toEqual({
      key: `key:${key.id}`,
      limit: 5,
      intervalMs: 1_000,
    });
    const ofMe = { key: `user:${idOf('me')}`, limit: 9, intervalMs: 60_000 };
    expect(rateLimitOf(snapshot, tokenCaller())).toEqual(ofMe);
    expect(rateLimitOf(snapshot, userCaller({ ...keyFor(), id: idOf('mine') }, idOf('me')))).toEqual(ofMe);
    expect(rateLimitOf(snapshot, keyCaller(keyFor('x')))).toBeNull();
  });

  it('let results be kept only of a tool that only reads', () => {
    const toolOverrides = { read: { cacheSeconds: 60 }, write: { cacheSeconds: 60 } };
    const cached = registered({ slug: 'files', toolOverrides }, [
      { name: 'read', annotations: { readOnlyHint: true } },
      { name: 'write', annotations: { idempotentHint: true } },
    ]);
    const by = keyFor('files');
    const found = resolveTools(snapshotOf([cached], [by]), keyCaller(by));
    expect(found.map(({ cacheSeconds }) => cacheSeconds)).toEqual([60, null]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { workOf } from '@switchyard/testing';
import {
  configs,
  features,
  idOf,
  orgId,
  policy,
  registered,
  snapshotOf,
  tokenCaller,
  toolset,
} from '../test-fixtures/snapshot-builder.js';
import { leftOutClaims } from './claims.js';
import { explainMissing } from './explain-missing.js';
import type { PolicyRecord, ToolGroupRecord, ToolSelector } from './grant-records.js';
import { resolvePrompts } from './resolve-prompts.js';
import { resolveResources } from './resolve-resources.js';
import { resolveTools } from './resolve-tools.js';
import type { SnapshotRows } from './snapshot.js';
import { patternUse } from './tool-group.js';

const files = registered({ slug: 'files' }, [
  { name: 'read', annotations: { readOnlyHint: true } },
  { name: 'write', annotations: { destructiveHint: false } },
  'rm',
]);
const mail = registered({ slug: 'mail' }, [{ name: 'list', annotations: { readOnlyHint: true } }, 'send']);
const all = [files, mail];
const everyName = ['files_read', 'files_rm', 'files_write', 'mail_list', 'mail_send'];

const names = (
  policies: PolicyRecord[],
  caller = tokenCaller(),
  rows: Partial<SnapshotRows> = {},
): string[] =>
  resolveTools(snapshotOf(all, [], { policies, ...rows }), caller).map(({ outwardName }) => outwardName);
const everything = policy({ mcpConfigs: configs('files', 'mail') });

describe('policies', () => {
  it('grant by claims, all of which have to match, and by roles too', () => {
    const matchers = [
      { path: 'dept', operator: 'EQUALS', value: 'ops' },
      { path: 'level', operator: 'IN', value: [2, 3] },
    ] as const;
    const one = [policy({ roles: ['dev'], matchers, mcpConfigs: configs('mail') })];
    const granted = (claims: Record<string, unknown>, roles = ['dev']) =>
      names(one, tokenCaller({ claims, roles }));
    expect(granted({ dept: 'ops', level: 3 })).toEqual(['mail_list', 'mail_send']);
    expect(granted({ dept: 'ops', level: 1 })).toEqual([]);
    expect(granted({ dept: 'ops' })).toEqual([]);
    expect(granted({ dept: 'ops', level: 3 }, [])).toEqual([]);
  });

  it('add up', () => {
    const two = [policy({ mcpConfigs: configs('mail') }), policy({ mcpConfigs: configs(['files', ['rm']]) })];
    expect(names(two)).toEqual(['files_rm', 'mail_list', 'mail_send']);
  });

  it.each<[string, number, number, string[]]>([
    ['at equal priority deny', 0, 0, ['files_read', 'files_write', 'mail_list', 'mail_send']],
    ['of a higher priority deny', 1, 0, ['files_read', 'files_write', 'mail_list', 'mail_send']],
    ['of a lower priority are overruled', -1, 0, everyName],
  ])('that deny %s', (_what, priority, other, expected) => {
    const denial = policy({ effect: 'deny', priority, mcpConfigs: configs(['files', ['rm']]) });
    expect(names([{ ...everything, priority: other }, denial])).toEqual(expected);
  });

  it('that speak of other tools decide nothing', () => {
    const denial = policy({ effect: 'deny', priority: 9, mcpConfigs: configs(['files', []], 'wiki') });
    expect(names([everything, denial])).toEqual(everyName);
  });

  it('that deny take away what an attached toolset would give, at every address', () => {
    const bundle = toolset({ slug: 'all', mcpConfigs: configs('files', 'mail'), userIds: [idOf('me')] });
    const rows = { toolsets: [bundle] };
    const denial = policy({ effect: 'deny', mcpConfigs: configs(['files', ['rm']], 'mail') });
    expect(names([], tokenCaller(), rows)).toEqual(everyName);
    expect(names([denial], tokenCaller(), rows)).toEqual(['files_read', 'files_write']);
    expect(names([denial], tokenCaller({ toolsetId: bundle.id }), rows)).toEqual([
      'files_read',
      'files_write',
    ]);
  });

  it('deny, and do not allow, by a claim that was too large to travel', () => {
    const caller = tokenCaller({ claims: { [leftOutClaims]: ['groups'] } });
    const matchers = [{ path: 'groups', operator: 'CONTAINS', value: 'staff' }] as const;
    expect(names([policy({ matchers, mcpConfigs: configs('mail') })], caller)).toEqual([]);
    const denial = policy({ matchers, effect: 'deny', mcpConfigs: configs('mail') });
    expect(names([everything, denial], caller)).toEqual(['files_read', 'files_rm', 'files_write']);
  });

  it('deny, and do not allow, by a pattern for which a claim is too long', () => {
    const caller = tokenCaller({ claims: { dept: `x${' '.repeat(1_000)}` } });
    const matchers = [{ path: 'dept', operator: 'MATCHES', value: '.*x.*' }] as const;
    expect(names([policy({ matchers, mcpConfigs: configs('mail') })], caller)).toEqual([]);
    const denial = policy({ matchers, effect: 'deny', mcpConfigs: configs('mail') });
    expect(names([everything, denial], caller)).toEqual(['files_read', 'files_rm', 'files_write']);
  });

  it('say nothing of what they deny or never mention', () => {
    const down = [
      registered({ slug: 'files' }, [], 'disconnected'),
      registered({ slug: 'mail' }, [], 'connecting'),
    ];
    const explain = (policies: PolicyRecord[], name: string) =>
      explainMissing(snapshotOf(down, [], { policies }), tokenCaller(), name).code;
    expect(explain([everything], 'files_x')).toBe('integration_unavailable');
    const denial = policy({ effect: 'deny', priority: 1, mcpConfigs: configs('files') });
    expect(explain([everything, denial], 'files_x')).toBe('tool_not_found');
    expect(explain([everything, denial], 'mail_x')).toBe('integration_unavailable');
    expect(explain([policy({ mcpConfigs: configs(['files', []]) })], 'files_x')).toBe('tool_not_found');
  });

  it('give prompts with a list that covers every tool, or in words, unless they deny them', () => {
    const snapshot = (policies: PolicyRecord[]) =>
      snapshotOf([mail], [], {
        policies,
        features: new Map([
          [
            mail.integration.id,
            [
              {
                id: 'p',
                integrationId: mail.integration.id,
                kind: 'prompt',
                name: 'p',
                wire: {},
                wireSha256: '',
                position: 0,
              },
            ],
          ],
        ]),
      });
    const shown = (...policies: PolicyRecord[]) => resolvePrompts(snapshot(policies), tokenCaller()).length;
    const config = { mcpClientName: 'mail', toolsToExecute: ['list'] };
    expect(shown(everything)).toBe(1);
    expect(shown(policy({ mcpConfigs: [config] }))).toBe(0);
    expect(shown(policy({ mcpConfigs: [{ ...config, prompts: true }] }))).toBe(1);
    expect(
      shown(policy({ mcpConfigs: [{ mcpClientName: 'mail', toolsToExecute: null, prompts: false }] })),
    ).toBe(0);
    const denial = policy({ effect: 'deny', mcpConfigs: [{ ...config, toolsToExecute: [], prompts: true }] });
    expect(shown(everything, denial)).toBe(0);
  });

  it.each<[string, Partial<ToolGroupRecord>, boolean]>([
    ['a client', { selectors: [{ client: 'm*' }] }, true],
    ['a client, but for a tool of it', { selectors: [{ client: 'mail' }], exclude: ['mail_send'] }, true],
    ['every tool of a client', { selectors: [{ client: 'mail', tool: '*' }] }, true],
    ['another client', { selectors: [{ client: 'files' }] }, false],
    ['some tools of a client', { selectors: [{ client: 'mail', tool: 's*' }] }, false],
    ['what may destroy', { selectors: [{ client: 'mail', destructive: true }] }, false],
    ['tools by name', { include: ['mail_list', 'mail_send'] }, false],
  ])('that deny a group of %s speak of its prompts and resources: %j', (_what, fields, isDenied) => {
    const group = { id: idOf('group'), orgId, selectors: [], include: [], exclude: [], ...fields };
    const named = [
      ...features(mail.integration, 'prompt', ['p']),
      ...features(mail.integration, 'resource', ['x:r']),
    ];
    const shown = (...policies: PolicyRecord[]) => {
      const rows = { policies, toolGroups: [group], features: new Map([[mail.integration.id, named]]) };
      const snapshot = snapshotOf([mail], [], rows);
      return [
        resolvePrompts(snapshot, tokenCaller()).length,
        resolveResources(snapshot, tokenCaller()).length,
      ];
    };
    const count = isDenied ? 0 : 1;
    expect(shown(everything, policy({ effect: 'deny', groupIds: [group.id] }))).toEqual([count, count]);
    expect(shown(policy({ groupIds: [group.id] }))).toEqual([0, 0]);
  });
});

describe('tool groups', () => {
  const group = (fields: Partial<ToolGroupRecord>): ToolGroupRecord => ({
    ...{ id: idOf('group'), orgId, selectors: [], include: [], exclude: [] },
    ...fields,
  });
  const selected = (fields: Partial<ToolGroupRecord>, effect: PolicyRecord['effect'] = 'allow') =>
    names(
      [policy({ groupIds: [idOf('group')], effect }), ...(effect === 'deny' ? [everything] : [])],
      tokenCaller(),
      {
        toolGroups: [group(fields)],
      },
    );

  it.each<[string, ToolSelector, string[]]>([
    ['a client', { client: 'mail' }, ['mail_list', 'mail_send']],
    ['a glob over clients', { client: 'f*' }, ['files_read', 'files_rm', 'files_write']],
    ['a glob over upstream names', { tool: 'r?' }, ['files_rm']],
    ['a glob over outward names', { tool: '*_s*' }, ['mail_send']],
    ['a pattern, which has to match the whole name', { tool: 'regex:r|list' }, ['mail_list']],
    ['a pattern with an alternative at its end', { tool: 'regex:(read|rm)' }, ['files_read', 'files_rm']],
    ['what only reads', { readOnly: true }, ['files_read', 'mail_list']],
    ['what does not only read', { readOnly: false, client: 'mail' }, ['mail_send']],
    ['what may destroy, the silent ones too', { destructive: true }, ['files_rm', 'mail_send']],
    ['what is harmless', { destructive: false }, ['files_read', 'files_write', 'mail_list']],
    ['what fits in every part', { client: 'files', readOnly: true }, ['files_read']],
    ['a glob that has to try again', { tool: '*a*l_l?s*' }, ['mail_list']],
    ['a glob with the last of two places', { tool: '*_?m' }, ['files_rm']],
    ['a glob whose parts come in order', { tool: '*e*n*' }, ['mail_send']],
    ['no glob whose parts overlap', { tool: 'sen*nd' }, []],
    ['no glob whose parts come in another order', { tool: '*n*e*' }, []],
    ['nothing, by a glob that is too long', { tool: 'send?' }, []],
    ['nothing, by a pattern that is none', { tool: 'regex:(' }, []],
    ['nothing, by a pattern that could run for ever', { tool: 'regex:(?=a)r' }, []],
  ])('select %s', (_what, selector, expected) => {
    expect(selected({ selectors: [selector] })).toEqual(expected);
  });

  it('add what is included and take away what is excluded', () => {
    const fields = {
      selectors: [{ client: 'mail' }],
      include: ['files_rm', 'mail_send'],
      exclude: ['mail_send'],
    };
    expect(selected(fields)).toEqual(['files_rm', 'mail_list']);
    expect(selected(fields, 'deny')).toEqual(['files_read', 'files_write', 'mail_send']);
  });

  it('say what their patterns ask for', () => {
    const counted = [
      { tool: 'regex:a{1,16}(bc){3}' },
      { client: 'regex:[^a-z]+\\(', tool: '*x' },
      { tool: 'name' },
    ];
    expect(patternUse(counted)).toEqual({ patterns: 3, size: 1 + 16 + 3 + 9 + 3 });
    expect(patternUse([{ tool: '*_?' }, { tool: '*_a*' }, { tool: 'a?' }])).toEqual({ patterns: 3, size: 3 });
    expect(patternUse([{ tool: 'regex:((a{9}){9}){9}' }]).size).toBeGreaterThan(729);
    expect(patternUse([])).toEqual({ patterns: 0, size: 0 });
  });

  it('take little time, as many as an organization may have of whatever make', () => {
    const long = 'ab'.repeat(25);
    const hostile = registered(
      { slug: 'evil' },
      Array.from({ length: 50 }, (_, n) => `${long}${n}`),
    );
    const selectors = [
      ...Array.from({ length: 195 }, (_, n) => ({ tool: `*${'ab'.repeat(12)}c${n}*` })),
      { tool: `*${'ab'.repeat(12)}?c` },
      ...Array.from({ length: 3 }, (_, n) => ({ tool: `regex:${'(.*a|.*b)'.repeat(10)}${n}x` })),
    ];
    const rows = { policies: [policy({ groupIds: [idOf('group')] })], toolGroups: [group({ selectors })] };
    const look = () => expect(resolveTools(snapshotOf([hostile], [], rows), tokenCaller())).toEqual([]);
    expect(workOf(look)).toBeLessThan(2_000);
  });

  it('of another organization, or gone, hold nothing', () => {
    expect(selected({ selectors: [{ client: '*' }], orgId: idOf('others') })).toEqual([]);
    expect(names([policy({ groupIds: [idOf('gone')] })])).toEqual([]);
  });

  it('reveal an integration that is down only where they may hold tools of it', () => {
    const down = [registered({ slug: 'files' }, [], 'disconnected')];
    const explain = (selector: ToolSelector) => {
      const rows = {
        policies: [policy({ groupIds: [idOf('group')] })],
        toolGroups: [group({ selectors: [selector] })],
      };
      return explainMissing(snapshotOf(down, [], rows), tokenCaller(), 'files_x').code;
    };
    expect(explain({ client: 'f*' })).toBe('integration_unavailable');
    expect(explain({ client: 'mail' })).toBe('tool_not_found');
  });
});

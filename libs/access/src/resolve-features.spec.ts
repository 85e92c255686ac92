import { describe, expect, it } from '@jest/globals';
import { workOf } from '@switchyard/testing';
import type { CallerContext } from '@switchyard/contracts';
import {
  configs,
  features,
  keyCaller,
  keyFor,
  policy,
  registered,
  snapshotOf,
  tokenCaller,
  toolset,
  virtualKey,
} from '../test-fixtures/snapshot-builder.js';
import type { Registered } from '../test-fixtures/snapshot-builder.js';
import type { FeatureKind } from './feature-records.js';
import type { PolicyRecord } from './grant-records.js';
import { outwardUri, parseOutwardUri, toOutwardUri } from './outward-uri.js';
import { findPrompt, resolvePrompts } from './resolve-prompts.js';
import {
  findResource,
  findResourceTemplate,
  resolveResources,
  resolveResourceTemplates,
} from './resolve-resources.js';
import type { Snapshot } from './snapshot.js';
import { visibleInstructions } from './visible-instructions.js';

type Listed = Partial<Record<FeatureKind, string[]>>;

const capable = (slug: string, state: 'connected' | 'disconnected' = 'connected'): Registered => {
  const one = registered({ slug }, ['t'], state);
  const said = { instructions: `How to use ${slug}.`, capabilities: { resources: {}, prompts: {} } };
  return { ...one, ...(one.state && { state: { ...one.state, ...said } }) };
};
const rowsOf = (lists: [Registered, Listed][]) =>
  new Map(
    lists.map(([{ integration }, listed]) => [
      integration.id,
      (['prompt', 'resource', 'resource_template'] as const).flatMap((kind) =>
        features(integration, kind, listed[kind] ?? []),
      ),
    ]),
  );

const notes = capable('notes');
const wiki = capable('wiki');
const key = keyFor('notes', 'wiki');
const bare = toolset({
  slug: 'bare',
  prefix: false,
  virtualKeyIds: [key.id],
  mcpConfigs: configs('wiki', 'notes'),
});
const listed = rowsOf([
  [
    wiki,
    { prompt: ['ask', 'go'], resource: ['file:///a', 'wiki://w'], resource_template: ['wiki://{page}'] },
  ],
  [notes, { prompt: ['ask'], resource: ['file:///b', 'file:///a'], resource_template: ['file:///{+path}'] }],
]);
const snapshot = snapshotOf([notes, wiki], [key], { features: listed, toolsets: [bare] });
const caller = keyCaller(key);
const atBare = { ...caller, toolsetId: bare.id };

describe('prompts', () => {
  it('have names like tools, and are found by them', () => {
    const prompts = resolvePrompts(snapshot, caller);
    expect(prompts.map(({ outwardName }) => outwardName)).toEqual(['notes_ask', 'wiki_ask', 'wiki_go']);
    expect(prompts[0]).toMatchObject({
      prompt: { name: 'ask', wire: { name: 'ask' } },
      wire: { name: 'notes_ask', title: 'Prompt ask' },
    });
    expect(findPrompt(snapshot, caller, 'wiki_go')).toBe(prompts[2]);
    expect(findPrompt(snapshot, caller, 'go')).toBeUndefined();
  });

  it('have bare names in a toolset without prefixes', () => {
    const names = resolvePrompts(snapshot, atBare).map(({ outwardName }) => outwardName);
    expect(names).toEqual(['ask', expect.stringMatching(/^ask_[0-9a-f]{8}$/), 'go']);
    expect(findPrompt(snapshot, atBare, 'ask')?.integration.slug).toBe('notes');
  });

  it('keep their names in such a toolset, whatever is hidden from the caller of others', () => {
    const [, hashed] = resolvePrompts(snapshot, atBare);
    const names = (of: Snapshot, by: CallerContext) =>
      resolvePrompts(of, by).map(({ outwardName, integration }) => [outwardName, integration.slug]);
    const left = [
      [hashed?.outwardName, 'wiki'],
      ['go', 'wiki'],
    ];
    expect(names(snapshot, { ...atBare, sharedIntegrationIds: [wiki.integration.id] })).toEqual(left);
    const me = tokenCaller({ toolsetId: bare.id });
    const rows = (policies: PolicyRecord[]) => ({
      ...{ features: listed, policies },
      toolsets: [{ ...bare, userIds: [me.userId ?? ''] }],
    });
    const denial = policy({ effect: 'deny', mcpConfigs: configs('notes') });
    expect(names(snapshotOf([notes, wiki], [key], rows([])), me)).toHaveLength(3);
    expect(names(snapshotOf([notes, wiki], [key], rows([denial])), me)).toEqual(left);
    const gone = snapshotOf([capable('notes', 'disconnected'), wiki], [key], rows([]));
    expect(names(gone, me)).toEqual(left);
  });

  it('go with a list that covers every tool, or are given or kept back in words', () => {
    const count = (fields: { toolsToExecute: string[] | null; prompts?: boolean }) => {
      const by = virtualKey({ mcpConfigs: [{ mcpClientName: 'wiki', ...fields }] });
      return resolvePrompts(snapshotOf([wiki], [by], { features: listed }), keyCaller(by)).length;
    };
    expect(count({ toolsToExecute: null })).toBe(2);
    expect(count({ toolsToExecute: ['*'] })).toBe(2);
    expect(count({ toolsToExecute: ['t'] })).toBe(0);
    expect(count({ toolsToExecute: [], prompts: true })).toBe(2);
    expect(count({ toolsToExecute: null, prompts: false })).toBe(0);
  });

  it('heed the clients of a request’s filter, and the state of integrations', () => {
    const only = (filters: object) =>
      resolvePrompts(snapshot, caller, filters).map(({ outwardName }) => outwardName);
    expect(only({ includeClients: ['notes'] })).toEqual(['notes_ask']);
    expect(only({ excludeTools: ['*'] })).toHaveLength(3);
    expect(findPrompt(snapshot, caller, 'wiki_go', { excludeClients: ['wiki'] })).toBeUndefined();
    const down = snapshotOf([notes, capable('wiki', 'disconnected')], [key], { features: listed });
    expect(resolvePrompts(down, caller).map(({ outwardName }) => outwardName)).toEqual(['notes_ask']);
  });
});

describe('resources', () => {
  it('have their integration’s slug in the scheme, which stays a URI and a template', () => {
    expect(resolveResources(snapshot, caller).map((one) => one.wire.uri)).toEqual([
      'sy.notes+file:///b',
      'sy.notes+file:///a',
      'sy.wiki+file:///a',
      'sy.wiki+wiki://w',
    ]);
    expect(new URL('sy.notes+file:///a').protocol).toBe('sy.notes+file:');
    expect(resolveResourceTemplates(snapshot, caller).map((one) => one.wire.uriTemplate)).toEqual([
      'sy.notes+file:///{+path}',
      'sy.wiki+wiki://{page}',
    ]);
  });

  it('can be read by every link of a visible integration, listed or not', () => {
    const find = (uri: string, filters = {}) => {
      const found = findResource(snapshot, caller, uri, filters);
      return found && [found.integration.slug, found.uri];
    };
    expect(find('sy.wiki+file:///a')).toEqual(['wiki', 'file:///a']);
    expect(find('sy.notes+file:///deep/c')).toEqual(['notes', 'file:///deep/c']);
    expect(find('sy.notes+other://linked')).toEqual(['notes', 'other://linked']);
    expect(find('sy.notes+file:///a', { excludeClients: ['notes'] })).toBeUndefined();
    for (const uri of [
      'file:///a',
      'sy.mail+file:///a',
      'sy.+file:///a',
      'sy.notes+',
      'SY.notes+file:///a',
      '',
    ])
      expect(find(uri)).toBeUndefined();
  });

  it('keep the upstream’s URIs in a toolset without prefixes; the first in the order of slugs wins', () => {
    expect(resolveResources(snapshot, atBare).map(({ outwardUri: uri }) => uri)).toEqual([
      'file:///b',
      'file:///a',
      'wiki://w',
    ]);
    const owner = (uri: string) => findResource(snapshot, atBare, uri)?.integration.slug;
    expect(owner('file:///a')).toBe('notes');
    expect(owner('file:///x/y')).toBe('notes');
    expect(owner('wiki://page')).toBe('wiki');
    expect(owner('wiki://page/below')).toBeUndefined();
    expect(owner('sy.notes+file:///a')).toBeUndefined();
  });

  it('stay their server’s in such a toolset, whatever is hidden from the caller', () => {
    const shared = { ...atBare, sharedIntegrationIds: [wiki.integration.id] };
    const down = snapshotOf([capable('notes', 'disconnected'), wiki], [key], {
      features: listed,
      toolsets: [bare],
    });
    for (const [of, by, filters] of [
      [snapshot, shared, undefined],
      [down, atBare, undefined],
      [snapshot, atBare, { excludeClients: ['notes'] }],
    ] as const) {
      const uris = resolveResources(of, by, filters).map(({ outwardUri: uri }) => uri);
      expect(uris).toEqual(['wiki://w']);
      expect(findResource(of, by, 'wiki://page', filters)?.integration.slug).toBe('wiki');
      for (const uri of ['file:///a', 'file:///deep/c'])
        expect(findResource(of, by, uri, filters)).toBeUndefined();
    }
  });

  it('are asked of the only server that has any, where nothing says whose they are', () => {
    const alone = snapshotOf([notes, registered({ slug: 'wiki' }, ['t'])], [key], { toolsets: [bare] });
    expect(findResource(alone, atBare, 'unlisted://x')).toMatchObject({ uri: 'unlisted://x' });
  });

  it('are found by their templates as they are written', () => {
    expect(findResourceTemplate(snapshot, caller, 'sy.wiki+wiki://{page}')?.uriTemplate).toBe(
      'wiki://{page}',
    );
    expect(findResourceTemplate(snapshot, caller, 'wiki://{page}')).toBeUndefined();
    expect(findResourceTemplate(snapshot, atBare, 'wiki://{page}')?.integration.slug).toBe('wiki');
  });

  it('are nobody’s who has single tools alone', () => {
    const by = virtualKey({ mcpConfigs: configs(['notes', ['t']]) });
    const narrow = snapshotOf([notes], [by], { features: listed });
    expect(resolveResources(narrow, keyCaller(by))).toEqual([]);
    expect(findResource(narrow, keyCaller(by), 'sy.notes+file:///a')).toBeUndefined();
  });

  describe('of a toolset without prefixes', () => {
    const ownerBy = (templates: string[], uri: string) => {
      const features = rowsOf([[notes, { resource_template: templates }]]);
      const of = snapshotOf([notes, wiki], [key], { features, toolsets: [bare] });
      return findResource(of, atBare, uri)?.integration.slug;
    };

    it.each<[string, string, boolean]>([
      ['x:/{a}/{b}', 'x:/1/2', true],
      ['x:/{a}/{b}', 'x:/1', false],
      ['x:/{a}/{b}', 'x:/1/2/3', false],
      ['x:/{a}{b}/c', 'x:/12/c', true],
      ['x:/{a}{+b}/c', 'x:/1/2/c', true],
      ['x:/{a}-{b}.md', 'x:/a-b-c.md', true],
      ['x:/{a}-{b}.md', 'x:/a-b/c.md', false],
      ['x:/{+a}/b/{c}/d', 'x:/b/b/1/d/b/2/d', true],
      ['x:/{+a}/b/{c}/d', 'x:/b/b/1/d/b/2/e', false],
      ['x:/{a}bc', 'x:/bcbc', true],
      ['x:/{+a}z{+b}z', 'x:/z', false],
      ['x:/{+a}z{+b}z', 'x:/zz', true],
      ['x:/l{?q}', 'x:/l?q=1', true],
      ['x:/l', 'x:/l', true],
      ['x:/l', 'x:/ll', false],
      ['{+all}', 'x:/any', true],
    ])('fit %s to %s: %j', (template, uri, isFit) => {
      expect(ownerBy([template], uri)).toBe(isFit ? 'notes' : undefined);
    });

    it('have at most eight expressions and 2,048 characters, as have their URIs', () => {
      expect(ownerBy([`x:/${'{a}-'.repeat(8)}`], `x:/${'1-'.repeat(8)}`)).toBe('notes');
      expect(ownerBy([`x:/${'{a}-'.repeat(9)}`], `x:/${'1-'.repeat(9)}`)).toBeUndefined();
      expect(ownerBy([`x:/{a}${'b'.repeat(2_050)}`], `x:/${'b'.repeat(2_000)}`)).toBeUndefined();
      expect(ownerBy(['x:/{a}'], `x:/${'b'.repeat(2_045)}`)).toBe('notes');
      expect(ownerBy(['x:/{a}'], `x:/${'b'.repeat(2_046)}`)).toBeUndefined();
    });

    it('are tried 200 at most, of those whose beginning fits', () => {
      const others = (start: string, count: number) =>
        Array.from({ length: count }, (_, n) => `${start}{a}/${n}`);
      expect(ownerBy([...others('y:/', 500), ...others('x:/', 199), 'x:/{a}'], 'x:/b')).toBe('notes');
      expect(ownerBy([...others('x:/', 200), 'x:/{a}'], 'x:/b')).toBeUndefined();
    });

    it.each<[string, (n: number) => string, string]>([
      ['hundreds of expressions', (n) => `x:/${'{+a}a'.repeat(390)}z${n}`, 'a'.repeat(8_000)],
      [
        'eight, of any text',
        (n) => `x:/${`{+a}${'a'.repeat(n)}`.repeat(7)}b{+a}za`,
        `${'a'.repeat(2_000)}za`,
      ],
      ['eight, of parts', (n) => `x:/${`{b}${'a'.repeat(n)}`.repeat(7)}b{b}za`, `${'a'.repeat(2_000)}za`],
    ])('take little time with %s, whatever the vendor wrote', (_what, templateOf, rest) => {
      const templates = Array.from({ length: 300 }, (_, n) => templateOf(n));
      const look = () => expect(ownerBy(templates, `x:/${rest}`)).toBeUndefined();
      expect(workOf(look)).toBeLessThan(1_000);
    });
  });
});

describe('outward URIs', () => {
  it('go there and back', () => {
    for (const uri of ['file:///a?b#c', 'urn:x:y', '{scheme}://x', 'a b\nc', 'sy.other+x:y']) {
      expect(parseOutwardUri(outwardUri('my-notes', uri))).toEqual({ slug: 'my-notes', uri });
      expect(toOutwardUri(snapshot, caller, { slug: 'my-notes' }, uri)).toBe(`sy.my-notes+${uri}`);
      expect(toOutwardUri(snapshot, atBare, { slug: 'my-notes' }, uri)).toBe(uri);
    }
  });
});

describe('instructions', () => {
  it('are those of served integrations of which the caller has anything', () => {
    expect(visibleInstructions(snapshot, caller)).toEqual([
      { slug: 'notes', instructions: 'How to use notes.' },
      { slug: 'wiki', instructions: 'How to use wiki.' },
    ]);
    const by = virtualKey({ mcpConfigs: configs(['notes', ['gone']], 'wiki') });
    const rest = snapshotOf([notes, capable('wiki', 'disconnected')], [by]);
    expect(visibleInstructions(rest, keyCaller(by))).toEqual([]);
  });
});

import type { ToolGroupRecord, ToolSelector } from './grant-records.js';
import { isCostly } from './glob.js';
import { namePattern, orNothing, regexOf } from './name-pattern.js';
import { patternSize } from './pattern-size.js';
import type { ResolvedTool } from './records.js';

/** A compiled set of tools. */
export type ToolSet = {
  readonly has: (tool: ResolvedTool) => boolean;
  /** Whether it can hold tools of the integration at all, as far as that is known without any. */
  readonly mayHaveOf: (slug: string) => boolean;
  /** Whether it speaks of the integration itself: by its slug and nothing of the tools. */
  readonly speaksOf: (slug: string) => boolean;
};

const maxSlugs = 1_000;
const compiled = new WeakMap<ToolGroupRecord, ToolSet>();

/** Compiles a group: what any selector selects, and what is included, less what is excluded. */
export function toolGroup(group: ToolGroupRecord): ToolSet {
  const known = compiled.get(group);
  if (known) return known;
  const set = compile(group);
  compiled.set(group, set);
  return set;
}

/** What a group asks of whoever resolves tools: it is matched against each of them. */
export type PatternUse = {
  /** How many of its patterns are more than a name. */
  readonly patterns: number;
  /** The size of those that take long, together: regular expressions, and globs that have both `*` and `?`. */
  readonly size: number;
};

type Patterned = { readonly client?: string | undefined; readonly tool?: string | undefined };

/** Counts the patterns of a group's selectors. */
export function patternUse(selectors: readonly Patterned[]): PatternUse {
  const all = selectors.flatMap(({ client, tool }) => [client ?? '', tool ?? '']);
  return {
    patterns: all.filter((pattern) => regexOf(pattern) !== undefined || /[*?]/.test(pattern)).length,
    size: all.reduce((sum, pattern) => sum + sizeOf(pattern), 0),
  };
}

function sizeOf(pattern: string): number {
  const regex = regexOf(pattern);
  if (regex !== undefined) return patternSize(regex);
  return isCostly(pattern) ? pattern.length : 0;
}

function compile({ selectors, include, exclude }: ToolGroupRecord): ToolSet {
  const parts = selectors.map(compileSelector);
  const [included, excluded] = [new Set(include), new Set(exclude)];
  const has = (tool: ResolvedTool) =>
    !excluded.has(tool.outwardName) &&
    (included.has(tool.outwardName) || parts.some((part) => part.has(tool)));
  return {
    has: remembered(has),
    mayHaveOf: (slug) =>
      include.some((name) => name.startsWith(`${slug}_`)) || parts.some((part) => part.mayHaveOf(slug)),
    speaksOf: (slug) => parts.some((part) => part.speaksOf(slug)),
  };
}

/** Patterns are matched once for each tool, however many callers ask: the objects live as long as the catalog's rows. */
function remembered(has: ToolSet['has']): ToolSet['has'] {
  const known = new WeakMap<ResolvedTool, boolean>();
  return (tool) => {
    const before = known.get(tool);
    if (before !== undefined) return before;
    const is = has(tool);
    known.set(tool, is);
    return is;
  };
}

function compileSelector({ client, tool, readOnly, destructive }: ToolSelector): ToolSet {
  const isClient = onceForEach(nameTest(client));
  const isTool = nameTest(tool);
  const isOfAll = (tool ?? '*') === '*' && readOnly === undefined && destructive === undefined;
  return {
    has: (one) =>
      isHint(readOnly, isReadOnly(one)) &&
      isHint(destructive, isDestructive(one)) &&
      isClient(one.integration.slug) &&
      (isTool(one.tool.name) || isTool(one.outwardName)),
    mayHaveOf: isClient,
    speaksOf: (slug) => isOfAll && isClient(slug),
  };
}

function nameTest(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  const regex = orNothing(() => namePattern(pattern));
  return (name) => regex.test(name);
}

/** Slugs are few and come again with each tool. */
function onceForEach(test: (slug: string) => boolean): (slug: string) => boolean {
  const known = new Map<string, boolean>();
  return (slug) => {
    const before = known.get(slug);
    if (before !== undefined) return before;
    if (known.size >= maxSlugs) known.clear();
    const is = test(slug);
    known.set(slug, is);
    return is;
  };
}

function isHint(wanted: boolean | undefined, is: boolean): boolean {
  return wanted === undefined || wanted === is;
}

/** The vendor's word, which is a claim and no fact. */
function isReadOnly({ tool }: ResolvedTool): boolean {
  return tool.wire.annotations?.readOnlyHint === true;
}

/** MCP: a tool that is not said to only read is destructive unless it is said not to be. */
function isDestructive(one: ResolvedTool): boolean {
  return !isReadOnly(one) && one.tool.wire.annotations?.destructiveHint !== false;
}

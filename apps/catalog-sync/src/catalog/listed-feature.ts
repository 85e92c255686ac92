import { createHash } from 'node:crypto';
import type { UpstreamFeatures } from '@switchyard/contracts';
import { canonicalJson } from '@switchyard/queue';
import { isText } from './tool-problem.js';

export type StoredKind = 'prompt' | 'resource' | 'resource_template';

/** A prompt, resource or template as an upstream listed it, in the form in which the catalog keeps it. */
export type ListedFeature = {
  readonly kind: StoredKind;
  /** The name of a prompt, the URI of a resource, the URI template of a template. */
  readonly name: string;
  readonly wire: object;
  readonly wireSha256: string;
  readonly position: number;
};

export type FeatureListing = {
  readonly features: readonly ListedFeature[];
  /** What was listed at all: of another kind the catalog keeps what it has. */
  readonly kinds: readonly StoredKind[];
  readonly problems: readonly string[];
};

const limits = { nameBytes: 2_000, bytes: 65_536 } as const;

/** Keeps what can be kept; the first of two with one name wins, as it would for a caller. */
export function judgeFeatures({ prompts, resources, templates, problems }: UpstreamFeatures): FeatureListing {
  const lists: [StoredKind, readonly [string, object][] | null][] = [
    ['prompt', prompts && prompts.map((wire) => [wire.name, wire])],
    ['resource', resources && resources.map((wire) => [wire.uri, wire])],
    ['resource_template', templates && templates.map((wire) => [wire.uriTemplate, wire])],
  ];
  const listed = lists.filter(([, items]) => items !== null);
  return {
    features: listed.flatMap(([kind, items]) => judge(kind, items ?? [])),
    kinds: listed.map(([kind]) => kind),
    problems,
  };
}

function judge(kind: StoredKind, items: readonly [string, object][]): ListedFeature[] {
  const named = new Map<string, object>();
  for (const [name, wire] of items) if (isStorable(name, wire) && !named.has(name)) named.set(name, wire);
  return [...named].map(([name, wire], position) => ({
    ...{ kind, name, wire, position },
    wireSha256: createHash('sha256').update(canonicalJson(wire)).digest('hex'),
  }));
}

function isStorable(name: string, wire: object): boolean {
  const text = JSON.stringify(wire);
  return (
    Buffer.byteLength(name) <= limits.nameBytes && Buffer.byteLength(text) <= limits.bytes && isText(text)
  );
}

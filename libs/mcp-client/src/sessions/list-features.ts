import type { Client } from '@modelcontextprotocol/client';
import { WirePrompt, WireResource, WireResourceTemplate } from '@switchyard/contracts';
import type { z } from 'zod';
import { isShallow } from './is-shallow.js';

/** What can be listed besides tools: under which capability, by which method, and where in its result. */
export const featureLists = {
  prompts: { capability: 'prompts', method: 'prompts/list', key: 'prompts', wire: WirePrompt },
  resources: { capability: 'resources', method: 'resources/list', key: 'resources', wire: WireResource },
  templates: {
    capability: 'resources',
    method: 'resources/templates/list',
    key: 'resourceTemplates',
    wire: WireResourceTemplate,
  },
} as const;
export type FeatureKind = keyof typeof featureLists;
export type WireFeature<K extends FeatureKind> = z.infer<(typeof featureLists)[K]['wire']>;

/** What the SDK sees in place of a page: the page stays as it came. */
export function featureStandIn(kind: FeatureKind): Record<string, unknown> {
  return { resultType: 'complete', [featureLists[kind].key]: [], ttlMs: 0, cacheScope: 'private' };
}

/** Asks for one page within an exchange that was opened with `featureStandIn`. */
export async function requestPage(
  client: Client,
  kind: FeatureKind,
  cursor: string | undefined,
  options: { timeout: number; signal: AbortSignal },
): Promise<void> {
  const params = cursor === undefined ? {} : { cursor };
  await client.request({ method: featureLists[kind].method, params } as never, options);
}

/** Whether an item of a list can be offered to anybody. */
export function isUsableFeature(kind: FeatureKind, item: unknown): boolean {
  return featureLists[kind].wire.safeParse(item).success && isShallow(item);
}

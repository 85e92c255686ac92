import type { UpstreamFeatures } from '@switchyard/contracts';
import { UpstreamError } from '../failures/upstream-error.js';
import type { FeatureKind, WireFeature } from './list-features.js';
import type { ListLimits } from './list-tools.js';
import type { UpstreamSession } from './upstream-session.js';

const METHOD_NOT_FOUND = -32601;

/** Prompts, resources and templates. A list that fails is noted and leaves the others as they are. Never rejects. */
export async function collectFeatures(
  session: UpstreamSession,
  options: { timeoutMs: number; signal?: AbortSignal } & Partial<ListLimits>,
): Promise<UpstreamFeatures> {
  const problems: string[] = [];
  const list = async <K extends FeatureKind>(kind: K): Promise<WireFeature<K>[] | null> =>
    session.listFeatures(kind, options).catch((thrown: unknown) => {
      // Many servers that have resources know no templates: that is an answer, not a failure.
      if (codeOf(thrown) === METHOD_NOT_FOUND) return [];
      problems.push(`${kind}: ${describe(thrown)}`.slice(0, 512));
      return null;
    });
  const [prompts, resources, templates] = await Promise.all([
    list('prompts'),
    list('resources'),
    list('templates'),
  ]);
  return { prompts, resources, templates, problems };
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof UpstreamError ? thrown.failure.error.details?.['upstream_code'] : undefined;
}

/** In our own words: what a server says may repeat what it was sent. */
function describe(thrown: unknown): string {
  return thrown instanceof UpstreamError ? thrown.failure.error.message : 'The list failed.';
}

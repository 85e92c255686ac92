import type { WirePrompt, WireResource, WireResourceTemplate } from '@switchyard/contracts';
import type { IntegrationRecord } from './records.js';

export type FeatureKind = 'prompt' | 'resource' | 'resource_template';

/** A prompt, resource or resource template that an upstream listed, as `catalog.v_features` publishes it. */
export type FeatureRecord = {
  readonly id: string;
  readonly integrationId: string;
  readonly kind: FeatureKind;
  /** A prompt's name, a resource's URI or a template's. */
  readonly name: string;
  /** As the upstream listed it. */
  readonly wire: Readonly<Record<string, unknown>>;
  readonly wireSha256: string;
  /** In the upstream's list. */
  readonly position: number;
};

/** A prompt under the name that callers use. */
export type ResolvedPrompt = {
  readonly integration: IntegrationRecord;
  readonly outwardName: string;
  /** As the upstream listed it. */
  readonly prompt: { readonly name: string; readonly wire: WirePrompt };
  /** The upstream's wire object, its name replaced by `outwardName`. */
  readonly wire: WirePrompt;
};

/** A listed resource under the URI that callers use. */
export type ResolvedResource = {
  readonly integration: IntegrationRecord;
  readonly outwardUri: string;
  /** The upstream's own URI. */
  readonly uri: string;
  /** The upstream's wire object, its `uri` replaced by `outwardUri`. */
  readonly wire: WireResource;
};

/** A resource template under the URI template that callers use. */
export type ResolvedResourceTemplate = {
  readonly integration: IntegrationRecord;
  readonly outwardTemplate: string;
  /** The upstream's own. */
  readonly uriTemplate: string;
  /** The upstream's wire object, its `uriTemplate` replaced by `outwardTemplate`. */
  readonly wire: WireResourceTemplate;
};

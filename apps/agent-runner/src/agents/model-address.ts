import type { AgentDefinition } from '@switchyard/contracts';
import { ModelSettings } from '@switchyard/models';

/** To whom a key of the model is sent; undefined where the settings do not fit. */
export function modelAddress({ model }: Pick<AgentDefinition, 'model'>): string | undefined {
  const { data } = ModelSettings.safeParse(model);
  if (!data) return undefined;
  const { provider, base_url: url } = data;
  if (url === undefined) return provider;
  const { origin, pathname } = new URL(url);
  return `${provider} ${origin}${pathname}`;
}

import { slugOf } from '@switchyard/access';
import type { FieldError } from '@switchyard/service-kit';
import type { ToolsetEntity } from './toolset.entity.js';

/** Names that an admin gives twice: within an integration where names carry its slug, else within the toolset. */
export function repeatedNames({
  prefix,
  mcpConfigs,
}: Pick<ToolsetEntity, 'prefix' | 'mcpConfigs'>): FieldError[] {
  const taken = new Set<string>();
  return mcpConfigs.flatMap((config, at) =>
    Object.entries(config.tools ?? {}).flatMap(([tool, { name }]) => {
      if (name === undefined) return [];
      const full = prefix ? `${slugOf(config.mcp_client_name)}_${name}` : name;
      if (!taken.has(full)) return taken.add(full) && [];
      const path = `mcp_configs.${at}.tools.${tool}.name`;
      return [{ path, message: `gives the name "${full}" to a second tool` }];
    }),
  );
}

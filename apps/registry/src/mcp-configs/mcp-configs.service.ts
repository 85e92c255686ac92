import { Injectable } from '@nestjs/common';
import { outwardName, slugOf } from '@switchyard/access';
import { IntegrationToolsRepository } from '../integrations/integration-tools.repository.js';
import { IntegrationsRepository } from '../integrations/integrations.repository.js';
import type { McpConfig } from './mcp-config.schemas.js';

const mostNames = 5;

/** Grants may name integrations and tools that come later: whoever mistypes a name should hear of it all the same. */
@Injectable()
export class McpConfigsService {
  constructor(
    private readonly integrations: IntegrationsRepository,
    private readonly tools: IntegrationToolsRepository,
  ) {}

  /** To be spread into an answer. */
  async warnings(orgId: string, configs: readonly McpConfig[]): Promise<{ warnings?: string[] }> {
    const known = configs.length > 0 ? await this.integrations.visibleSlugs(orgId) : new Set<string>();
    const unknown = configs
      .map((config) => slugOf(config.mcp_client_name))
      .filter((slug) => !known.has(slug));
    const warnings = unknown.map(
      (slug) => `There is no integration "${slug}" yet; the grant takes effect once there is.`,
    );
    warnings.push(...(await this.#unknownTools(orgId, configs)));
    return warnings.length > 0 ? { warnings } : {};
  }

  /** Of an integration of which no tool is known yet, any name may be right. */
  async #unknownTools(orgId: string, configs: readonly McpConfig[]): Promise<string[]> {
    const naming = configs
      .map(({ mcp_client_name: name, tools_to_execute: tools }) => ({
        slug: slugOf(name),
        tools: (tools ?? []).filter((tool) => tool !== '*'),
      }))
      .filter(({ tools }) => tools.length > 0);
    if (naming.length === 0) return [];
    const slugs = naming.map(({ slug }) => slug);
    const known = await this.tools.namesBySlug(orgId, slugs);
    return naming.flatMap(({ slug, tools }) => {
      const names = known.get(slug);
      if (!names) return [];
      const all = new Set(names.flatMap((name) => [name, outwardName(slug, name)]));
      const missing = tools.filter((tool) => !all.has(tool));
      if (missing.length === 0) return [];
      const shown = missing.slice(0, mostNames).map((tool) => `"${tool}"`);
      const more = missing.length > shown.length ? ` and ${missing.length - shown.length} more` : '';
      return [`"${slug}" has no tool ${shown.join(', ')}${more} yet.`];
    });
  }
}

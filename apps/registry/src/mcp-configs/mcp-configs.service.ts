import { Injectable } from '@nestjs/common';
import { slugOf } from '@switchyard/access';
import { IntegrationsRepository } from '../integrations/integrations.repository.js';
import type { McpConfig } from './mcp-config.schemas.js';

/** Grants may name integrations that come later: whoever mistypes a name should hear of it all the same. */
@Injectable()
export class McpConfigsService {
  constructor(private readonly integrations: IntegrationsRepository) {}

  /** To be spread into an answer. */
  async warnings(orgId: string, configs: readonly McpConfig[]): Promise<{ warnings?: string[] }> {
    const known = configs.length > 0 ? await this.integrations.visibleSlugs(orgId) : new Set<string>();
    const unknown = configs
      .map((config) => slugOf(config.mcp_client_name))
      .filter((slug) => !known.has(slug));
    const warnings = unknown.map(
      (slug) => `There is no integration "${slug}" yet; the grant takes effect once there is.`,
    );
    return warnings.length > 0 ? { warnings } : {};
  }
}

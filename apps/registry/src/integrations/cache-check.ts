import { Injectable } from '@nestjs/common';
import type { FieldError } from '@switchyard/service-kit';
import { IntegrationToolsRepository } from './integration-tools.repository.js';
import type { IntegrationEntity } from './integration.entity.js';

/** Results may be served again only where the tool says of itself that it only reads. */
@Injectable()
export class CacheCheck {
  constructor(private readonly tools: IntegrationToolsRepository) {}

  /** Overrides with `cache_seconds` of known tools that may do more than read. What is not known yet is left alone. */
  async problems({ id, toolOverrides }: IntegrationEntity): Promise<FieldError[]> {
    const names = Object.keys(toolOverrides).filter(
      (name) => toolOverrides[name]?.cache_seconds !== undefined,
    );
    const refused = await this.tools.notReadOnly(id, names);
    const message =
      'the tool does not say that it only reads (annotations.readOnlyHint), so its results are never served again';
    return refused.map((name) => ({ path: `tool_overrides.${name}.cache_seconds`, message }));
  }
}

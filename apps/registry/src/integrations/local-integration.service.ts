import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import {
  DEFAULT_ORGANIZATION_ID,
  LOCAL_KIND,
  LOCAL_TOOLS_COMMAND,
  PlatformError,
} from '@switchyard/contracts';
import { Log } from '@switchyard/service-kit';
import { ChangesService } from '../changes/changes.service.js';
import { REGISTRY_CONFIG } from '../config.js';
import type { RegistryConfig } from '../config.js';
import { refuseTwin } from '../http/constraint-violation.js';
import { newIntegration } from './apply-settings.js';
import { nextVersions } from './connection-version.js';
import { IntegrationEntity } from './integration.entity.js';
import { IntegrationsRepository } from './integrations.repository.js';

const transport = { type: 'stdio' as const, command: LOCAL_TOOLS_COMMAND, args: [] };
const created = { kind: 'external_mcp', scope: 'global', owner_user_id: null, transport } as const;

/** The integration of the operator's own functions: there is one where the setting is, and only the start makes it. */
@Injectable()
export class LocalIntegrationService implements OnApplicationBootstrap {
  private readonly settings;

  constructor(
    private readonly integrations: IntegrationsRepository,
    private readonly changes: ChangesService,
    private readonly log: Log,
    @Inject(REGISTRY_CONFIG) config: Pick<RegistryConfig, 'localTools'>,
  ) {
    this.settings = config.localTools;
  }

  async onApplicationBootstrap(): Promise<void> {
    const known = await this.integrations.findLocal(DEFAULT_ORGANIZATION_ID);
    if (known) return this.update(known.id);
    if (this.settings.isSet) await this.make();
  }

  private async make(): Promise<void> {
    const row = Object.assign(
      newIntegration(DEFAULT_ORGANIZATION_ID, { ...created, slug: this.settings.slug, name: 'Local tools' }),
      { kind: LOCAL_KIND },
    );
    try {
      await refuseTwin(() => this.integrations.insert(row), slugInUse);
    } catch (error) {
      // Another registry that started at the same time has made it.
      if (await this.integrations.findLocal(DEFAULT_ORGANIZATION_ID)) return;
      if (!isSlugTaken(error)) throw error;
      return this.logTaken('there are no local tools');
    }
    await this.announce(row, 'created');
    await this.sync(row, 'connect');
  }

  /** Settings that admins made stay; `enabled` too, but where it was the missing setting that took it away. */
  private async update(id: string): Promise<void> {
    const { row, next } = await this.replaced(id, this.settings.slug).catch((error: unknown) => {
      if (!isSlugTaken(error)) throw error;
      this.logTaken('local tools keep the slug that they have');
      return this.replaced(id, undefined);
    });
    if (this.settings.isSet && !next.enabled)
      this.log.warn(
        { integrationId: id },
        'SWITCHYARD_LOCAL_TOOLS is set, but an admin has disabled the tools',
      );
    if (row !== next) await this.announce(next, 'updated');
    // Also where nothing changed here: the files may have.
    await this.sync(next, 'config_edit');
  }

  private async replaced(id: string, slug: string | undefined) {
    return this.integrations.locked(DEFAULT_ORGANIZATION_ID, id, async (locked) => {
      const wanted = this.wanted(locked.row, slug ?? locked.row.slug);
      if (isDeepStrictEqual(wanted, locked.row)) return { row: locked.row, next: locked.row };
      Object.assign(wanted, nextVersions(locked.row, wanted, { hasNewSecrets: false }));
      await refuseTwin(() => locked.replace(wanted), slugInUse);
      return { row: locked.row, next: wanted };
    });
  }

  private wanted(row: IntegrationEntity, slug: string): IntegrationEntity {
    const { isSet } = this.settings;
    const next = Object.assign(new IntegrationEntity(), row);
    if (!isSet) return Object.assign(next, row.enabled && { enabled: false, offBySetting: true });
    return Object.assign(
      next,
      { slug, transport },
      row.offBySetting && { enabled: true, offBySetting: false },
    );
  }

  /** No reason to stop: whoever may register integrations would stop the registry by it. */
  private logTaken(so: string): void {
    this.log.error(
      { slug: this.settings.slug },
      `another integration of organization default has this slug, so ${so}: set SWITCHYARD_LOCAL_TOOLS_SLUG to a free one`,
    );
  }

  private async announce(
    { id, organizationId: orgId }: IntegrationEntity,
    change: 'created' | 'updated',
  ): Promise<void> {
    await this.changes.announce({ entity: 'integration', change, orgId, id });
  }

  private async sync(
    { id, organizationId: orgId, enabled }: IntegrationEntity,
    reason: 'connect' | 'config_edit',
  ): Promise<void> {
    if (enabled) await this.changes.requestSync(orgId, id, reason);
  }
}

function slugInUse(): PlatformError {
  return new PlatformError('slug_taken');
}

function isSlugTaken(error: unknown): boolean {
  return error instanceof PlatformError && error.code === 'slug_taken';
}

import { Injectable } from '@nestjs/common';
import { PlatformError, toPlatformError } from '@switchyard/contracts';
import { Log, parseBody } from '@switchyard/service-kit';
import type { FieldError } from '@switchyard/service-kit';
import { z } from 'zod';
import type { AdminContext } from '../admin/admin-context.js';
import { IntegrationsService } from '../integrations/integrations.service.js';
import { CreateVirtualKey } from '../virtual-keys/virtual-key.schemas.js';
import { VirtualKeysService } from '../virtual-keys/virtual-keys.service.js';
import type { ImportAnswerBody, ImportRequest, KeyOutcome, ServerOutcome } from './import.schemas.js';
import { slugFor, toRegistration } from './to-registration.js';

const KeyEntry = z.looseObject({ name: z.string(), mcp_configs: z.unknown().optional() });
const ours = ['name', 'mcp_configs'];

/** How one entry ended, whatever it was. */
type Outcome = Pick<ServerOutcome, 'status' | 'id' | 'error' | 'warnings'>;
type Made = { id?: string; warnings: string[] };

/** Registers what a file names, one entry after the other; each has an outcome of its own. */
@Injectable()
export class ImportsService {
  constructor(
    private readonly integrations: IntegrationsService,
    private readonly keys: VirtualKeysService,
    private readonly log: Log,
  ) {}

  async import(admin: AdminContext, body: ImportRequest, isDryRun: boolean): Promise<ImportAnswerBody> {
    const results: ServerOutcome[] = [];
    for (const [name, entry] of Object.entries(body.mcpServers ?? {})) {
      const slug = slugFor(name);
      const isTwin = slug !== null && results.some((other) => other.slug === slug);
      const make = async () =>
        this.makeServer(admin, isTwin ? twin() : toRegistration(name, slug, entry), isDryRun);
      results.push({ name, slug, ...(await this.attempt(make)) });
    }
    const keys: KeyOutcome[] = [];
    for (const entry of body.governance?.virtual_keys ?? [])
      keys.push(await this.importKey(admin, entry, isDryRun));
    return { dry_run: isDryRun, results, virtual_keys: keys };
  }

  private async makeServer(
    admin: AdminContext,
    { body, warnings }: ReturnType<typeof toRegistration>,
    isDryRun: boolean,
  ): Promise<Made> {
    if (isDryRun) {
      await this.integrations.check(admin, body);
      return { warnings };
    }
    const created = await this.integrations.create(admin, body);
    return { id: created.id, warnings: [...warnings, ...(created.warnings ?? [])] };
  }

  /** `{ name, mcp_configs }` as in 002. Keys are made anew: one that stands in a file is not a secret any more. */
  private async importKey(admin: AdminContext, given: unknown, isDryRun: boolean): Promise<KeyOutcome> {
    const name = KeyEntry.safeParse(given).data?.name ?? '';
    let key: string | undefined;
    const outcome = await this.attempt(async () => {
      const entry = parseBody(KeyEntry, given);
      const body = parseBody(CreateVirtualKey, { name: entry.name, mcp_configs: entry.mcp_configs });
      const warnings = Object.keys(entry).flatMap((field) =>
        ours.includes(field) ? [] : [`"${field}" is ignored.`],
      );
      if (isDryRun) return { warnings };
      const created = await this.keys.create(admin, body);
      key = created.key;
      return { id: created.id, warnings: [...warnings, ...(created.warnings ?? [])] };
    });
    return { name, ...outcome, ...(key !== undefined && { key }) };
  }

  private async attempt(make: () => Promise<Made>): Promise<Outcome> {
    try {
      const { id, warnings } = await make();
      return { status: 'created', ...(id !== undefined && { id }), ...(warnings.length > 0 && { warnings }) };
    } catch (thrown) {
      return this.failureOf(toPlatformError(thrown));
    }
  }

  private failureOf(error: PlatformError): Outcome {
    if (error.code === 'internal') this.log.error({ err: error }, 'an import failed');
    const errors = error.details?.errors as FieldError[] | undefined;
    const info = { code: error.code, message: error.message, ...(errors && { errors }) };
    return { status: error.code === 'slug_taken' ? 'skipped' : 'failed', error: info };
  }
}

function twin(): never {
  throw new PlatformError('conflict', { message: 'Another entry of the file has the same slug.' });
}

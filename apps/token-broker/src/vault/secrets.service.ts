import { Injectable } from '@nestjs/common';
import type { LeaseContent } from '@switchyard/contracts';
import { DataKeysService } from './data-keys.service.js';
import { type SecretRow, type SecretSet, SecretsRepository } from './secrets.repository.js';

/** The static credentials of integrations: encrypted on the way in, decrypted only to be leased. */
@Injectable()
export class SecretsService {
  constructor(
    private readonly rows: SecretsRepository,
    private readonly keys: DataKeysService,
  ) {}

  /** Replaces the whole set of that kind. */
  async replace(set: SecretSet, values: Readonly<Record<string, string>>): Promise<void> {
    const rows = Object.entries(values).map(([name, value]) => ({
      name,
      ...this.keys.encrypt(value, binding({ ...set, name })),
    }));
    await this.rows.replace(set, rows);
  }

  async deleteAll(orgId: string, integrationId: string): Promise<void> {
    await this.rows.deleteAll(orgId, integrationId);
  }

  async read(orgId: string, integrationId: string): Promise<LeaseContent> {
    const rows = await this.rows.list(orgId, integrationId);
    const ofKind = async (kind: SecretRow['kind']): Promise<Record<string, string>> => {
      const entries = rows
        .filter((row) => row.kind === kind)
        .map(
          async (row) =>
            [
              row.name,
              await this.keys.decrypt(row, binding({ orgId, integrationId, kind, name: row.name })),
            ] as const,
        );
      return Object.fromEntries(await Promise.all(entries));
    };
    return { headers: await ofKind('headers'), env: await ofKind('env') };
  }

  /** The secret of the client that an admin registered with the vendor; null without one. */
  async clientSecret(orgId: string, integrationId: string): Promise<string | null> {
    const kind = 'oauth_client';
    const rows = await this.rows.list(orgId, integrationId);
    const row = rows.find((one) => one.kind === kind && one.name === 'client_secret');
    return row ? this.keys.decrypt(row, binding({ orgId, integrationId, kind, name: row.name })) : null;
  }
}

/** A row's ciphertext opens in that row alone. */
function binding({ orgId, integrationId, kind, name }: SecretSet & { name: string }): string[] {
  return ['vault.secrets', orgId, integrationId, kind, name];
}

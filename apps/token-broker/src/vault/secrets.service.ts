import { Injectable } from '@nestjs/common';
import type { LeaseContent } from '@switchyard/contracts';
import { DataKeysService } from './data-keys.service.js';
import { type SecretRow, type SecretSet, SecretsRepository } from './secrets.repository.js';

/** The static credentials of integrations, and what agents and webhooks keep secret: encrypted on the way in, decrypted only to be leased. */
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
    const ofKind = (kind: SecretRow['kind']) => this.#open({ orgId, integrationId, kind }, rows);
    return { headers: await ofKind('headers'), env: await ofKind('env') };
  }

  /** One set, by name; empty where nothing is stored. */
  async readSet(set: SecretSet): Promise<Record<string, string>> {
    return this.#open(set, await this.rows.list(set.orgId, set.integrationId));
  }

  /** The secret of the client that an admin registered with the vendor; null without one. */
  async clientSecret(orgId: string, integrationId: string): Promise<string | null> {
    const { client_secret: secret } = await this.readSet({ orgId, integrationId, kind: 'oauth_client' });
    return secret ?? null;
  }

  async #open(set: SecretSet, rows: readonly SecretRow[]): Promise<Record<string, string>> {
    const entries = rows
      .filter(({ kind }) => kind === set.kind)
      .map(async (row) => {
        const value = await this.keys.decrypt(row, binding({ ...set, name: row.name }));
        return [row.name, value] as const;
      });
    return Object.fromEntries(await Promise.all(entries));
  }
}

/** A row's ciphertext opens in that row alone. */
function binding({ orgId, integrationId, kind, name }: SecretSet & { name: string }): string[] {
  return ['vault.secrets', orgId, integrationId, kind, name];
}

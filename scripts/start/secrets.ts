/** The keys of one installation, made by its first start. */
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from './data-folder.ts';
import { UsageError } from './options.ts';

export type Secrets = {
  masterKey: string;
  /** Keys under which the vault's data keys may still be wrapped. */
  formerMasterKeys: string[];
  sealKey: string;
  adminKey: string;
  postgresPassword: string;
};

/**
 * Reads the keys, and makes those that are missing. A master key that is given takes the place of the one before, which is
 * kept until the vault is wrapped anew. Throws when the keys are gone and the data is not.
 */
export function loadSecrets(folder: string, givenMasterKey?: string): Secrets {
  const file = join(folder, 'secrets.json');
  if (!existsSync(file) && existsSync(join(folder, 'postgres'))) {
    throw new UsageError(
      `${file} is gone, and without it nobody can open the database beside it.\nBring it back, or forget the data: npm start -- --clean`,
    );
  }
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>) : {};
  const secrets: Secrets = {
    ...masterKeysOf(kept, givenMasterKey),
    sealKey: kept.sealKey ?? randomBytes(32).toString('base64url'),
    adminKey: kept.adminKey ?? `ak_${randomBytes(24).toString('base64url')}`,
    postgresPassword: kept.postgresPassword ?? randomBytes(24).toString('base64url'),
  };
  saveSecrets(folder, secrets);
  return secrets;
}

function masterKeysOf(kept: Partial<Secrets>, given: string | undefined) {
  const masterKey = given || (kept.masterKey ?? randomBytes(32).toString('base64'));
  const former = [kept.masterKey ?? [], kept.formerMasterKeys ?? []].flat();
  return { masterKey, formerMasterKeys: former.filter((key) => key !== masterKey) };
}

/** Once every data key is wrapped under the present master key, the former ones open nothing any more. */
export function forgetFormerMasterKeys(folder: string, secrets: Secrets): void {
  saveSecrets(folder, { ...secrets, formerMasterKeys: [] });
}

function saveSecrets(folder: string, secrets: Secrets): void {
  writePrivateFile(join(folder, 'secrets.json'), `${JSON.stringify(secrets, null, 2)}\n`);
}

/**
 * The URL of a service's own role. Its password follows from the migrator's: roles belong to the whole server, and
 * installations that share one must not change each other's passwords.
 */
export function roleUrl(adminUrl: string, role: string): string {
  const url = new URL(adminUrl);
  const password = createHmac('sha256', `${url.username}:${url.password}`).update(role).digest('base64url');
  url.username = `switchyard_${role.replaceAll('-', '_')}`;
  url.password = password;
  return url.href;
}

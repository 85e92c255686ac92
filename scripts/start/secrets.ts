/** The keys of one installation, made by its first start. */
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from './data-folder.ts';
import { UsageError } from './options.ts';

export type Secrets = { masterKey: string; sealKey: string; adminKey: string; postgresPassword: string };

/** Reads the keys, and makes those that are missing. Throws when they are gone and the data is not. */
export function loadSecrets(folder: string): Secrets {
  const file = join(folder, 'secrets.json');
  if (!existsSync(file) && existsSync(join(folder, 'postgres'))) {
    throw new UsageError(
      `${file} is gone, and without it nobody can open the database beside it.\nBring it back, or forget the data: npm start -- --clean`,
    );
  }
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>) : {};
  const secrets: Secrets = {
    masterKey: kept.masterKey ?? randomBytes(32).toString('base64'),
    sealKey: kept.sealKey ?? randomBytes(32).toString('base64url'),
    adminKey: kept.adminKey ?? `ak_${randomBytes(24).toString('base64url')}`,
    postgresPassword: kept.postgresPassword ?? randomBytes(24).toString('base64url'),
  };
  writePrivateFile(file, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
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

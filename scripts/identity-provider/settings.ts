/** What the identity provider of `npm start` keeps between starts: its port, keys and sample users, for its owner alone. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const clientId = 'switchyard';
export const settingsFile = 'identity-provider.json';

export type SampleUser = {
  username: string;
  password: string;
  name: string;
  email: string;
  roles: string[];
};

export type Settings = {
  port: number;
  cookieKey: string;
  /** Private signing keys, as JWKs. */
  keys: Record<string, unknown>[];
  users: SampleUser[];
};

/** The settings of a data folder, made by its first start. `choosePort` is given the port of the start before. */
export async function loadSettings(
  dataFolder: string,
  choosePort: (last: number | undefined) => Promise<number>,
): Promise<Settings> {
  const file = join(dataFolder, settingsFile);
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Settings>) : {};
  const settings: Settings = {
    port: await choosePort(kept.port),
    cookieKey: kept.cookieKey ?? randomBytes(24).toString('base64url'),
    keys: kept.keys ?? [newKey()],
    users: kept.users ?? [newUser('alice', ['admin']), newUser('bob', [])],
  };
  writeFileSync(`${file}.new`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return settings;
}

export function issuerOf({ port }: Pick<Settings, 'port'>): string {
  return `http://127.0.0.1:${port}`;
}

function newUser(username: string, roles: string[]): SampleUser {
  return {
    username,
    password: randomBytes(12).toString('base64url'),
    name: `${username[0]?.toUpperCase()}${username.slice(1)} (sample user)`,
    email: `${username}@example.com`,
    roles,
  };
}

function newKey(): Record<string, unknown> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomBytes(8).toString('hex');
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
}

/** Prints fresh secrets for docker-compose.yml: node deploy/make-env.mjs > .env (once: the vault opens with its master key alone). */
import { randomBytes } from 'node:crypto';

const hex = () => randomBytes(24).toString('hex');
const passwords = [
  'POSTGRES',
  'REDIS',
  ...['REGISTRY', 'TOKEN_BROKER', 'CATALOG_SYNC', 'DISPATCH', 'GATEWAY'].map((app) => `${app}_DATABASE`),
];
const secrets = {
  SWITCHYARD_MASTER_KEY: randomBytes(32).toString('base64'),
  SWITCHYARD_SEAL_KEY: hex(),
  REGISTRY_ADMIN_KEY: `ak_${hex()}`,
  ...Object.fromEntries(passwords.map((name) => [`${name}_PASSWORD`, hex()])),
};
for (const [name, value] of Object.entries(secrets)) process.stdout.write(`${name}=${value}\n`);

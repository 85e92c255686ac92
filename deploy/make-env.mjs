/**
 * Prints fresh secrets for docker-compose.yml: node deploy/make-env.mjs > .env (once: the vault opens with its master key
 * alone). With --try-out the services run as on a developer's machine, where Keycloak needs no certificate.
 */
import { createHash, randomBytes } from 'node:crypto';

const hex = () => randomBytes(24).toString('hex');
const adminKey = `ak_${hex()}`;
const passwords = [
  'POSTGRES',
  'REDIS',
  ...['REGISTRY', 'TOKEN_BROKER', 'CATALOG_SYNC', 'DISPATCH', 'AGENT_RUNNER', 'GATEWAY'].map(
    (app) => `${app}_DATABASE`,
  ),
  'KEYCLOAK_ADMIN',
  'KEYCLOAK_DATABASE',
  'ALICE',
  'BOB',
];
const secrets = {
  SWITCHYARD_MASTER_KEY: randomBytes(32).toString('base64'),
  SWITCHYARD_SEAL_KEY: hex(),
  REGISTRY_ADMIN_KEY: adminKey,
  // The broker tells the admin by the digest; it never sees the key.
  TOKEN_BROKER_ADMIN_KEY_SHA256: createHash('sha256').update(adminKey).digest('hex'),
  ...Object.fromEntries(passwords.map((name) => [`${name}_PASSWORD`, hex()])),
};
const tryOut = { SWITCHYARD_ENV: 'development', SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true' };
const settings = process.argv.includes('--try-out') ? { ...secrets, ...tryOut } : secrets;
for (const [name, value] of Object.entries(settings)) process.stdout.write(`${name}=${value}\n`);

import type { Client } from 'pg';

/** Which app owns which schema (`architecture.md`, "Data"). */
export const schemaOwners: Readonly<Record<string, string>> = {
  registry: 'registry',
  catalog: 'catalog-sync',
  vault: 'token-broker',
  broker: 'token-broker',
  dispatch: 'dispatch',
  runs: 'agent-runner',
  gateway: 'gateway',
};

/** Creates the schemas; the owner's role may read and write all that is, and all that migrations will make, inside. */
export async function ensureSchemas(client: Client, roles: Record<string, string>): Promise<void> {
  for (const [schema, app] of Object.entries(schemaOwners)) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    if (roles[app]) await grantOwner(client, schema, client.escapeIdentifier(roles[app]));
  }
}

const rights = [
  ['TABLES', 'SELECT, INSERT, UPDATE, DELETE'],
  ['SEQUENCES', 'USAGE, SELECT'],
  ['FUNCTIONS', 'EXECUTE'],
] as const;

async function grantOwner(client: Client, schema: string, role: string): Promise<void> {
  await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
  for (const [kind, privileges] of rights) {
    await client.query(`GRANT ${privileges} ON ALL ${kind} IN SCHEMA ${schema} TO ${role}`);
    await client.query(
      `ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ${privileges} ON ${kind} TO ${role}`,
    );
  }
}

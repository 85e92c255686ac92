import type { QueryRunner } from 'typeorm';

/** The session setting in which the migrator hands the role of an app to its migrations. */
export function roleSetting(app: string): string {
  return `switchyard.role_${app.replaceAll('-', '_')}`;
}

/** What to grant: `on` is a relation with its schema, or `FUNCTION schema.name`, or `ALL TABLES IN SCHEMA name`. */
export type Grant = { on: string; to: readonly string[]; privilege: string };

/**
 * For migrations: gives apps a privilege, and the use of the schema, whatever the operator called their roles.
 * Throws when the migrator does not know the role of an app.
 */
export async function grant(runner: QueryRunner, { on, to, privilege }: Grant): Promise<void> {
  const schema = /IN SCHEMA (\w+)$/i.exec(on)?.[1] ?? /(\w+)\./.exec(on)?.[1];
  if (!schema) throw new Error(`grant: "${on}" names no schema`);
  for (const app of to) {
    const role = `"${await roleOfApp(runner, app)}"`;
    await runner.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
    await runner.query(`GRANT ${privilege} ON ${on} TO ${role}`);
  }
}

async function roleOfApp(runner: QueryRunner, app: string): Promise<string> {
  const [row] = (await runner.query('SELECT current_setting($1, true) AS role', [roleSetting(app)])) as {
    role: string | null;
  }[];
  if (!row?.role) throw new Error(`grant: the migrator was given no database URL of ${app}`);
  return row.role;
}

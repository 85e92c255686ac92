/** What catalog-sync would have written of an integration. */
import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { asAdmin } from './fake-owners.js';

export type WireLike = { name: string } & Record<string, unknown>;
export type ListedTool = { wire: WireLike; approved?: WireLike | null; gone?: boolean };

export const sha256Of = (wire: unknown): string =>
  createHash('sha256').update(JSON.stringify(wire)).digest('hex');

/** Lists tools; each is approved as it is, unless `approved` says in which form, or that it never was; `gone`: vanished since. */
export async function listTools(
  adminUrl: string,
  integrationId: string,
  tools: readonly ListedTool[],
): Promise<void> {
  await asAdmin(adminUrl, async (client) => {
    await client.query(
      `INSERT INTO catalog.integration_states (integration_id, organization_id, state)
        SELECT id, organization_id, 'connected' FROM registry.integrations WHERE id = $1
        ON CONFLICT (integration_id) DO UPDATE SET version = catalog.integration_states.version + 1`,
      [integrationId],
    );
    for (const { wire, approved = wire, gone } of tools) {
      const forms = [JSON.stringify(wire), sha256Of(wire)];
      const approvedForms = approved ? [JSON.stringify(approved), sha256Of(approved)] : [null, null];
      await client.query(
        `INSERT INTO catalog.external_mcp_tools (id, integration_id, organization_id, name, qualified_name, input_schema,
            wire, wire_sha256, approved_wire, approved_sha256, disabled_reason)
          SELECT $2, id, organization_id, $3, $3, '{}', $4, $5, $6, $7, $8 FROM registry.integrations WHERE id = $1`,
        [integrationId, uuidv7(), wire.name, ...forms, ...approvedForms, gone ? 'vanished' : null],
      );
    }
    await client.query(`UPDATE catalog.version SET version = version + 1`);
  });
}

/** A tool without arguments. */
export function wire(name: string, fields: Record<string, unknown> = {}): WireLike {
  return { name, inputSchema: { type: 'object' }, ...fields };
}

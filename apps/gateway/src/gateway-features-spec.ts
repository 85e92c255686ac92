import { createHash, randomUUID } from 'node:crypto';
import { DEFAULT_ORGANIZATION_ID, topics } from '@switchyard/contracts';
import { v7 } from 'uuid';
import type { GatewayHarness } from './gateway-harness-spec.js';

export type TestFeatures = {
  readonly prompts?: { name: string; [field: string]: unknown }[];
  readonly resources?: { uri: string; [field: string]: unknown }[];
  readonly templates?: { uriTemplate: string; [field: string]: unknown }[];
  readonly instructions?: string;
};

/** Replaces the prompts, resources and templates of an integration, as a sync does. */
export async function setFeatures(
  { sql, queue }: GatewayHarness,
  integrationId: string,
  { prompts = [], resources = [], templates = [], instructions }: TestFeatures,
): Promise<void> {
  const rows = [
    ...prompts.map((wire) => ({ kind: 'prompt', name: wire.name, wire })),
    ...resources.map((wire) => ({ kind: 'resource', name: wire.uri, wire })),
    ...templates.map((wire) => ({ kind: 'resource_template', name: wire.uriTemplate, wire })),
  ];
  await sql.query('DELETE FROM catalog.features WHERE integration_id = $1', [integrationId]);
  for (const [position, { kind, name, wire }] of rows.entries()) {
    const text = JSON.stringify(wire);
    const digest = createHash('sha256').update(text).digest('hex');
    await sql.query(
      `INSERT INTO catalog.features (id, integration_id, organization_id, kind, name, wire, wire_sha256, position)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [v7(), integrationId, DEFAULT_ORGANIZATION_ID, kind, name, text, digest, position],
    );
  }
  await sql.query(
    `UPDATE catalog.integration_states SET version = version + 1, instructions = $2, capabilities = $3
     WHERE integration_id = $1`,
    [integrationId, instructions ?? null, JSON.stringify({ prompts: {}, resources: {} })],
  );
  await sql.query('UPDATE catalog.version SET version = version + 1');
  await queue.publish(topics.catalogChanged, {
    ...{ orgId: DEFAULT_ORGANIZATION_ID, integrationId, state: 'connected' },
    ...{ toolsChanged: false, featuresChanged: true },
  } as const);
}

type TestToolset = {
  readonly slug: string;
  readonly prefix?: boolean;
  readonly orgId?: string;
  readonly configs: Record<string, object>;
  readonly keyIds: string[];
};

/** A toolset of the given tools by integration, attached to the keys. */
export async function addToolset(harness: GatewayHarness, toolset: TestToolset): Promise<string> {
  const { slug, prefix = true, orgId = DEFAULT_ORGANIZATION_ID, configs, keyIds } = toolset;
  const id = randomUUID();
  const mcpConfigs = Object.entries(configs).map(([name, more]) => ({ mcp_client_name: name, ...more }));
  await harness.sql.query(
    `INSERT INTO registry.toolsets (id, organization_id, slug, name, prefix, mcp_configs, virtual_key_ids, user_ids, roles)
     VALUES ($1, $2, $3, $3, $4, $5, $6, '{}', '{}')`,
    [id, orgId, slug, prefix, JSON.stringify(mcpConfigs), keyIds],
  );
  await harness.registryChanged(id);
  return id;
}

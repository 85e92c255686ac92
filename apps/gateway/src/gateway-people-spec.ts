import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AuditEvent,
  DEFAULT_ORGANIZATION_ID,
  PublicJwk,
  queues,
  type UserRecord,
  type UserRecordAnswer,
} from '@switchyard/contracts';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { GatewayHarness } from './gateway-harness-spec.js';

export const audience = 'https://switchyard.example';

/** An identity provider of the organization `default` with people in it, a registry that knows them, and an audit log. */
export class People {
  readonly users = new Map<string, string>();
  readonly audited: AuditEvent[] = [];

  private constructor(
    private readonly harness: GatewayHarness,
    readonly issuer: string,
    private readonly privateKey: CryptoKey,
  ) {}

  static async join(harness: GatewayHarness): Promise<People> {
    const pair = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    harness.onClose(async () => void server.close());
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await harness.sql.query(
      `INSERT INTO registry.identity_providers (id, organization_id, name, issuer, audience, client_id, jwks_uri, scopes,
         roles_claim, admin_roles, auditor_roles)
       VALUES ($1, $2, 'test', $3, $4, 'client', $5, '{openid}', 'roles', '{admin}', '{auditor}')`,
      [randomUUID(), DEFAULT_ORGANIZATION_ID, issuer, audience, `${issuer}/jwks`],
    );
    const people = new People(harness, issuer, pair.privateKey);
    harness.queue.consume(queues.userRecords, (record) => people.recordOf(record), { concurrency: 4 });
    harness.queue.consume(
      queues.auditRecords,
      async ({ events }) => ({ written: people.audited.push(...events) && events.length }),
      { concurrency: 4 },
    );
    return people;
  }

  /** A token as the provider would sign it; overrides make it another's, late, or wrong. */
  async tokenOf(subject: string, claims: JWTPayload & { roles?: string[] } = {}, key = this.privateKey) {
    const now = Math.floor(Date.now() / 1000);
    const facts = { iss: this.issuer, aud: audience, sub: subject, iat: now, exp: now + 300 };
    return new SignJWT({ ...facts, roles: [], ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'at+jwt' })
      .sign(key);
  }

  /** What users of these roles may use; null is everybody. */
  async addPolicy(
    grants: Record<string, string[]>,
    roles: string[] | null = null,
    more: { matchers?: object[]; effect?: 'allow' | 'deny'; priority?: number } = {},
  ): Promise<void> {
    const configs = Object.entries(grants).map(([name, tools]) => ({
      mcp_client_name: name,
      tools_to_execute: tools,
    }));
    const id = randomUUID();
    await this.harness.sql.query(
      `INSERT INTO registry.policies (id, organization_id, name, roles, mcp_configs, matchers, effect, priority)
       VALUES ($1, $2, 'test', $3, $4, $5, $6, $7)`,
      [
        ...[id, DEFAULT_ORGANIZATION_ID, roles, JSON.stringify(configs)],
        ...[JSON.stringify(more.matchers ?? []), more.effect ?? 'allow', more.priority ?? 0],
      ],
    );
    await this.harness.registryChanged(id);
  }

  async deactivate(subject: string): Promise<void> {
    const id = this.users.get(subject);
    await this.harness.sql.query(`UPDATE registry.users SET active = false WHERE id = $1`, [id]);
    await this.harness.registryChanged(id ?? '');
  }

  async distrust(): Promise<void> {
    const sql = `UPDATE registry.identity_providers SET enabled = false WHERE issuer = $1 RETURNING id`;
    const [row] = await this.harness.sql.query<{ id: string }>(sql, [this.issuer]);
    await this.harness.registryChanged(row?.id ?? '');
  }

  /** The key pair of a broker, to which users' tokens are sealed. */
  async addBrokerKey(): Promise<CryptoKey> {
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const { kty, crv, x, y } = await exportJWK(pair.publicKey);
    const dataKeyId = randomUUID();
    await this.harness.sql.query(
      `INSERT INTO vault.data_keys (id, master_key_id, wrapped, is_active) VALUES ($1, 'm', '', true)`,
      [dataKeyId],
    );
    await this.harness.sql.query(
      `INSERT INTO vault.broker_keys (kid, public_jwk, data_key_id, private_jwk_ciphertext) VALUES ('broker', $1, $2, '')`,
      [JSON.stringify(PublicJwk.parse({ kty, crv, x, y })), dataKeyId],
    );
    return pair.privateKey;
  }

  private async recordOf({ orgId, issuer, subject, roles }: UserRecord): Promise<UserRecordAnswer> {
    const known = this.users.get(subject);
    const userId = known ?? randomUUID();
    this.users.set(subject, userId);
    await this.harness.sql.query(
      `INSERT INTO registry.users (id, organization_id, issuer, subject, roles) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT DO NOTHING`,
      [userId, orgId, issuer, subject, roles],
    );
    const [row] = await this.harness.sql.query<{ active: boolean }>(
      `SELECT active FROM registry.users WHERE id = $1`,
      [userId],
    );
    return { status: 'known', userId, active: row?.active ?? false };
  }
}

import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import type { TrustedIssuer } from '@switchyard/identity';

/** A provider whose people an organization takes, as `registry.v_identity_providers` publishes it. */
export type IdentityProvider = TrustedIssuer & {
  readonly name: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly adminRoles: readonly string[];
  readonly auditorRoles: readonly string[];
};

@Injectable()
export class IdentityProvidersRepository {
  constructor(private readonly sql: Sql) {}

  async list(): Promise<IdentityProvider[]> {
    return this.sql.query(
      `SELECT id, organization_id AS "orgId", name, issuer, audience, client_id AS "clientId", jwks_uri AS "jwksUri",
              scopes, roles_claim AS "rolesClaim", admin_roles AS "adminRoles", auditor_roles AS "auditorRoles", enabled
       FROM registry.v_identity_providers WHERE enabled ORDER BY id`,
    );
  }
}

import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { AuditLogService } from '../audit/audit-log.service.js';
import type { UserCaller } from '../callers/caller.js';
import { CredentialCipher } from '../credentials/credential-cipher.js';
import { CredentialNewsService } from '../credentials/credential-news.service.js';
import type { Credential } from '../credentials/credential.js';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import { secretProblems } from '../vault/secret-rules.js';
import type { Connection } from './connections.service.js';

/** Headers that a user brings for themself, where an integration asks for them. */
@Injectable()
export class UserHeadersService {
  constructor(
    private readonly rows: CredentialsRepository,
    private readonly cipher: CredentialCipher,
    private readonly news: CredentialNewsService,
    private readonly audit: AuditLogService,
  ) {}

  /** Throws `invalid_request` that names headers and never values. */
  async put(
    { integration, serverUrl }: Connection,
    user: UserCaller,
    given: Readonly<Record<string, string>>,
  ): Promise<Credential> {
    const headers = matched(integration.userHeaderNames, given);
    const owner = { orgId: user.orgId, integrationId: integration.id, userId: user.userId };
    await this.audit.record({
      ...{ ...owner, action: 'credential_stored', result: 'ok', actor: { kind: 'user', id: user.userId } },
      details: { headers: Object.keys(headers) },
    });
    const credential = await this.rows.put(
      {
        ...{
          ...owner,
          kind: 'headers',
          issuer: null,
          resource: null,
          serverUrl,
          tokenEndpoint: null,
          clientId: null,
        },
        ...{ grantedScopes: [], neededScopes: [], state: 'active', expiresAt: null, grantedBy: user.userId },
      },
      this.cipher.seal(owner, { accessToken: null, refreshToken: null, headers }),
    );
    await this.news.tell({ ...owner, state: 'active' });
    await this.news.askForSync(integration.orgId, integration.id);
    return credential;
  }
}

/** All that the integration asks for, under its own spelling, and nothing else. */
function matched(
  names: readonly string[],
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const wanted = new Map(names.map((name) => [name.toLowerCase(), name]));
  const unknown = Object.keys(given).filter((name) => !wanted.has(name.toLowerCase()));
  const headers = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [wanted.get(name.toLowerCase()) ?? name, value]),
  );
  const missing = names.filter((name) => !Object.hasOwn(headers, name));
  const problems = [
    ...(unknown.length > 0 ? ['there are headers that the integration does not ask for'] : []),
    ...missing.map((name) => `${name} is missing`),
    ...secretProblems('headers', given),
  ].slice(0, 5);
  if (problems.length === 0) return headers;
  const errors = problems.map((message) => ({ path: 'headers', message }));
  throw new PlatformError('invalid_request', { message: `${problems.join('; ')}.`, details: { errors } });
}

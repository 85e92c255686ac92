import { Injectable } from '@nestjs/common';
import { type AuthMode, type LeaseContent, PlatformError } from '@switchyard/contracts';
import { SecretsService } from '../vault/secrets.service.js';
import type { LeasedIntegration } from '../integrations/integrations.repository.js';
import type { CheckedAsk, LeaseGrant, LeaseGranter, LeaseRefusal } from './lease-ask.js';
import { LeaseTtl } from './lease-ttl.js';

/** The integration's own headers (or environment of its stdio child), the same for every caller and for discovery. */
@Injectable()
export class GrantStatic implements LeaseGranter {
  readonly authModes: readonly AuthMode[] = ['headers'];

  constructor(
    private readonly secrets: SecretsService,
    private readonly ttl: LeaseTtl,
  ) {}

  async grant({ integration, now }: CheckedAsk): Promise<LeaseGrant | LeaseRefusal> {
    // A global integration's credential is its own organization's, whoever asks.
    const content = await this.secrets.read(integration.orgId, integration.id);
    if (isIncomplete(integration, content))
      return { authPath: 'auth_context_unavailable', error: notStored() };
    const everybodys = { principal: 'integration', credential: 'static' };
    return { authPath: 'static', content, expiresAt: now + this.ttl.ms, ...everybodys };
  }
}

/** A call without the credential that the admin configured would only be refused upstream, and less clearly. */
function isIncomplete(integration: LeasedIntegration, content: LeaseContent): boolean {
  const headers = new Set(Object.keys(content.headers).map((name) => name.toLowerCase()));
  return (
    integration.headerNames.some((name) => !headers.has(name.toLowerCase())) ||
    integration.envNames.some((name) => !Object.hasOwn(content.env, name))
  );
}

function notStored(): PlatformError {
  return new PlatformError('auth_context_unavailable', {
    message: 'The values of its headers are not stored; an admin has to set them again.',
  });
}

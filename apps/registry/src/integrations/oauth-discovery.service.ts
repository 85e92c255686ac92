import { Injectable } from '@nestjs/common';
import { PlatformError, queues } from '@switchyard/contracts';
import type { AuthMode, OAuthDiscoveryAnswer } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import type { AdminContext } from '../admin/admin-context.js';
import { EgressService } from '../egress/egress.service.js';
import { isLate } from '../http/service-is-late.js';
import type { DiscoverOAuthBody, OAuthDiscoveryBody } from './oauth-discovery.schemas.js';

/** Three documents of the vendor at most, each of which may take its time. */
const answerWithinMs = 30_000;

type Found = Extract<OAuthDiscoveryAnswer, { status: 'found' }>;

/** Fills an admin's form from what a server says of its authorization. The token broker does the asking. */
@Injectable()
export class OAuthDiscoveryService {
  constructor(
    private readonly queue: QueueClient,
    private readonly egress: EgressService,
  ) {}

  async discover({ orgId }: AdminContext, { url }: DiscoverOAuthBody): Promise<OAuthDiscoveryBody> {
    await this.egress.check(url);
    const answer = await this.queue
      .request(queues.oauthDiscoveries, { v: 1, orgId, url }, { timeoutMs: answerWithinMs })
      .catch(isLate('token broker'));
    if (answer.status === 'refused') throw PlatformError.fromInfo(answer.error);
    return answer.status === 'found' ? toBody(answer) : open;
  }
}

const open: OAuthDiscoveryBody = {
  status: 'open',
  auth_mode: 'none',
  oauth: null,
  scopes_supported: [],
  grant_types_supported: [],
  registration: [],
};

function toBody({ oauth, scopesSupported, grantTypesSupported, registration }: Found): OAuthDiscoveryBody {
  return {
    status: 'found',
    auth_mode: suggested(grantTypesSupported),
    oauth,
    scopes_supported: scopesSupported,
    grant_types_supported: grantTypesSupported,
    registration,
  };
}

/** A server that names no grants knows the code grant (RFC 8414, section 2). */
function suggested(grants: readonly string[]): AuthMode {
  const isForMachines = !grants.includes('authorization_code') && grants.includes('client_credentials');
  return isForMachines ? 'client_credentials' : 'authorization_code';
}

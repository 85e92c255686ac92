import { Injectable } from '@nestjs/common';
import type { OAuthSettings } from '@switchyard/contracts';
import { EgressService } from '../egress/egress.service.js';

const addresses = [
  'authorization_server',
  'authorization_endpoint',
  'token_endpoint',
  'revocation_endpoint',
  'resource',
] as const;

/** Whether an admin's addresses of an authorization server may be called at all. The broker asks again at each call. */
@Injectable()
export class OAuthCheck {
  constructor(private readonly egress: EgressService) {}

  /** Throws `egress_denied` that names the field. */
  async check(oauth: OAuthSettings | null): Promise<void> {
    for (const field of addresses) {
      const url = oauth?.[field];
      if (url !== undefined) await this.egress.check(url, `oauth.${field}`);
    }
  }
}

import { Module } from '@nestjs/common';
import { GrantsRepository } from './grants/grants.repository.js';
import { GrantsService } from './grants/grants.service.js';
import { Issuer } from './issuer.js';
import { SigningKeys } from './keys/signing-keys.service.js';
import { OAuthAudit } from './oauth-audit.js';
import { OAuthCipher } from './store/oauth-cipher.js';
import { PayloadsRepository } from './store/payloads.repository.js';
import { GatewayTokens } from './tokens/gateway-tokens.service.js';

const providers = [
  ...[Issuer, OAuthCipher, PayloadsRepository, SigningKeys],
  ...[OAuthAudit, GrantsRepository, GrantsService, GatewayTokens],
];

/** What it takes to judge a token of the gateway's own. */
@Module({ providers, exports: providers })
export class OAuthTokensModule {}

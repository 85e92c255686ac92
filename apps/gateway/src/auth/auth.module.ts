import { Module } from '@nestjs/common';
import { OAuthTokensModule } from '../oauth/oauth-tokens.module.js';
import { Authenticator } from './authenticator.service.js';
import { ProtectedResourceController } from './protected-resource.controller.js';
import { RefusedCallers } from './refused-callers.service.js';
import { UserTokens } from './user-tokens.service.js';

@Module({
  imports: [OAuthTokensModule],
  controllers: [ProtectedResourceController],
  providers: [Authenticator, RefusedCallers, UserTokens],
  exports: [Authenticator, RefusedCallers, UserTokens],
})
export class AuthModule {}

import { Module } from '@nestjs/common';
import { Authenticator } from './authenticator.service.js';
import { ProtectedResourceController } from './protected-resource.controller.js';
import { RefusedCallers } from './refused-callers.service.js';
import { UserTokens } from './user-tokens.service.js';

@Module({
  controllers: [ProtectedResourceController],
  providers: [Authenticator, RefusedCallers, UserTokens],
  exports: [Authenticator],
})
export class AuthModule {}

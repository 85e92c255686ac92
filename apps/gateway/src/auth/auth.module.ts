import { Module } from '@nestjs/common';
import { Authenticator } from './authenticator.service.js';
import { ProtectedResourceController } from './protected-resource.controller.js';

@Module({
  controllers: [ProtectedResourceController],
  providers: [Authenticator],
  exports: [Authenticator],
})
export class AuthModule {}

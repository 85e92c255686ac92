import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ClientsRepository } from './clients/clients.repository.js';
import { GrantCallers } from './grants/grant-callers.service.js';
import { GrantsController } from './grants/grants.controller.js';
import { OAuthHousekeeping } from './housekeeping.service.js';
import { BrowserSessions } from './interaction/browser-sessions.service.js';
import { ConnectionStates } from './interaction/connection-states.repository.js';
import { ConsentsService } from './interaction/consents.service.js';
import { InteractionController } from './interaction/interaction.controller.js';
import { OAuthTokensModule } from './oauth-tokens.module.js';
import { AuthorizationServer } from './server/authorization-server.service.js';

/** The authorization server toward MCP clients; `mountOAuth` gives it its paths. */
@Module({
  imports: [OAuthTokensModule, AuthModule],
  controllers: [InteractionController, GrantsController],
  providers: [
    ...[ClientsRepository, AuthorizationServer, OAuthHousekeeping],
    ...[BrowserSessions, ConnectionStates, ConsentsService, GrantCallers],
  ],
})
export class OAuthModule {}

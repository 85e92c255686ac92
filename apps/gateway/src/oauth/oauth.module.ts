import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ClientsRepository } from './clients/clients.repository.js';
import { GrantCallers } from './grants/grant-callers.service.js';
import { GrantsPageController } from './grants/grants-page.controller.js';
import { GrantsController } from './grants/grants.controller.js';
import { OAuthHousekeeping } from './housekeeping.service.js';
import { BrowserSessions } from './interaction/browser-sessions.service.js';
import { ConnectionStates } from './interaction/connection-states.repository.js';
import { ConsentsService } from './interaction/consents.service.js';
import { FormTokens } from './interaction/form-tokens.service.js';
import { InteractionController } from './interaction/interaction.controller.js';
import { OAuthTokensModule } from './oauth-tokens.module.js';
import { Admission } from './server/admission.service.js';
import { AuthorizationServer } from './server/authorization-server.service.js';

/** The authorization server toward MCP clients; `mountOAuth` gives it its paths. */
@Module({
  imports: [OAuthTokensModule, AuthModule],
  controllers: [InteractionController, GrantsController, GrantsPageController],
  providers: [
    ...[ClientsRepository, Admission, AuthorizationServer, OAuthHousekeeping],
    ...[BrowserSessions, ConnectionStates, ConsentsService, FormTokens, GrantCallers],
  ],
})
export class OAuthModule {}

import { AuthMode, OAuthDiscovery, OAuthSettings } from '@switchyard/contracts';
import { z } from 'zod';

export const DiscoverOAuth = z
  .strictObject({ url: OAuthDiscovery.shape.url.describe('Of the MCP server.') })
  .meta({ id: 'DiscoverOAuth' });
export type DiscoverOAuthBody = z.output<typeof DiscoverOAuth>;

export const OAuthDiscoveryOutcome = z
  .strictObject({
    status: z.enum(['found', 'open']).describe('`open`: the server answers without a token.'),
    auth_mode: AuthMode.describe('What the server’s metadata suggest.'),
    oauth: OAuthSettings.nullable().describe('Ready to be sent back in a registration.'),
    scopes_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    registration: z
      .array(z.enum(['configured', 'metadata_document', 'dynamic']))
      .describe('How a client can be had; the first is what a consent would use.'),
  })
  .meta({ id: 'OAuthDiscovery' });
export type OAuthDiscoveryBody = z.output<typeof OAuthDiscoveryOutcome>;

import { randomBytes } from 'node:crypto';
import type { Configuration, JWKS, KoaContextWithOIDC } from 'oidc-provider';
import type { MemoryStore } from './memory-adapter.js';
import { resourceServerOf, type ResourceOptions } from './resource-server.js';
import { claimsOf, findAccountAmong, type TestUser } from './users.js';
import { TOKEN_EXCHANGE } from './token-exchange.js';

export type ProviderOptions = ResourceOptions & {
  users: Record<string, TestUser>;
  /** The audience of a token that is asked for without `resource`. */
  defaultResource?: string;
  refreshTokenTtl: number;
};

/** How oidc-provider is set up: strict PKCE, JWT access tokens for the resource, rotating refresh tokens. */
export function providerConfiguration(
  options: ProviderOptions,
  store: MemoryStore,
  jwks: JWKS,
): Configuration {
  const { users } = options;
  return {
    adapter: store.adapter(),
    jwks,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    findAccount: findAccountAmong(users),
    claims: { openid: ['sub'], profile: ['preferred_username', 'name', 'roles'], email: ['email'] },
    scopes: ['openid', 'offline_access'],
    clientDefaults: { grant_types: ['authorization_code', 'refresh_token'] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    conformIdTokenClaims: false,
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    extraTokenClaims: (ctx, token) => extraClaims(users, ctx, token),
    renderError: (ctx, out) => {
      ctx.type = 'json';
      ctx.body = out;
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => options.defaultResource ?? (undefined as never),
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => resourceServerOf(options, resource),
      },
    },
    ttl: {
      AccessToken: options.accessTokenTtl,
      ClientCredentials: options.accessTokenTtl,
      RefreshToken: options.refreshTokenTtl,
      AuthorizationCode: 60,
      IdToken: 300,
      Interaction: 300,
      Session: 3600,
      Grant: 86_400,
    },
  };
}

function extraClaims(
  users: Record<string, TestUser>,
  ctx: KoaContextWithOIDC,
  token: { accountId?: string; clientId?: string },
): Record<string, unknown> {
  const { accountId } = token as { accountId?: string };
  const isExchange = ctx.oidc?.params?.['grant_type'] === TOKEN_EXCHANGE;
  return {
    ...(accountId && claimsOf(users, accountId)),
    ...(isExchange && { act: { sub: token.clientId } }),
  };
}

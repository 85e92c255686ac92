/** How oidc-provider is set up here: one first-party public client, JWT access tokens for the gateway, no consent page. */
import {
  type Configuration,
  errors,
  type KoaContextWithOIDC,
  Provider,
  type ResourceServer,
} from 'oidc-provider';
import { deviceFlow } from './device-pages.ts';
import { memoryAdapter } from './memory-store.ts';
import { messagePage, pageHeaders } from './pages.ts';
import { clientId, issuerOf, type SampleUser, type Settings } from './settings.ts';

const hour = 3_600;
const day = 24 * hour;
const scopes = 'openid profile email offline_access';
const callbacks = ['/sign-in/callback', '/callback', '/'];

/** The provider of these users, whose tokens are for the gateway at `publicUrl`. */
export function newProvider(settings: Settings, publicUrl: string): Provider {
  return new Provider(issuerOf(settings), configuration(settings, publicUrl));
}

function configuration(settings: Settings, publicUrl: string): Configuration {
  const { users } = settings;
  return {
    adapter: memoryAdapter(),
    jwks: { keys: settings.keys as never },
    cookies: { keys: [settings.cookieKey] },
    clients: [client(publicUrl)],
    findAccount: (_ctx, sub) => {
      const user = users.find(({ username }) => username === sub);
      return user && { accountId: sub, claims: async () => ({ sub, ...claimsOf(user) }) };
    },
    claims: {
      openid: ['sub', 'roles'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
    },
    // Users of the ID token find everything in it.
    conformIdTokenClaims: false,
    extraTokenClaims: (_ctx, token) => {
      const { accountId } = token as { accountId?: string };
      const user = users.find(({ username }) => username === accountId);
      return user && claimsOf(user);
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, asking) => asking.grantTypeAllowed('refresh_token'),
    loadExistingGrant: (ctx) => grantEverything(ctx, publicUrl),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    renderError: (ctx, { error, error_description: description }) => {
      ctx.set(pageHeaders);
      ctx.body = messagePage('That did not work', `${error}: ${description ?? ''}`);
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      revocation: { enabled: true, allowedPolicy: (_ctx, { clientId: id }, token) => token.clientId === id },
      deviceFlow,
      resourceIndicators: {
        enabled: true,
        defaultResource: () => publicUrl,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => resourceServer(resource, publicUrl),
      },
    },
    ttl: {
      AccessToken: hour,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: 14 * day,
      IdToken: hour,
      Interaction: hour,
      RefreshToken: 14 * day,
      Session: day,
    },
  };
}

/** Public, as whoever signs in on this machine; on loopback at any port (RFC 8252, section 7.3). */
function client(publicUrl: string) {
  const loopback = ['http://127.0.0.1', 'http://localhost'];
  const origins = /^https:/.test(publicUrl) ? [...loopback, publicUrl] : loopback;
  return {
    client_id: clientId,
    client_name: 'Switchyard',
    application_type: 'native' as const,
    token_endpoint_auth_method: 'none' as const,
    redirect_uris: origins.flatMap((origin) => callbacks.map((path) => `${origin}${path}`)),
    response_types: ['code' as const],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  };
}

function claimsOf({ username, name, email, roles }: SampleUser): Record<string, unknown> {
  return { preferred_username: username, name, email, email_verified: true, roles };
}

/** Tokens are for the gateway alone, also when a client names one of its endpoints. */
function resourceServer(resource: string, publicUrl: string): ResourceServer {
  if (new URL(resource).origin !== new URL(publicUrl).origin) throw new errors.InvalidTarget();
  return {
    scope: scopes,
    audience: publicUrl,
    accessTokenTTL: hour,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'RS256' } },
  } as ResourceServer;
}

/** The client is ours: nobody is asked whether we may know who signs in to us. */
async function grantEverything(ctx: KoaContextWithOIDC, publicUrl: string) {
  const grant = (await knownGrant(ctx)) ?? newGrant(ctx);
  grant.addOIDCScope(scopes);
  const asked = [ctx.oidc.params?.['resource'] ?? []].flat() as string[];
  for (const resource of new Set([publicUrl, ...asked])) grant.addResourceScope(resource, scopes);
  await grant.save();
  return grant;
}

async function knownGrant({ oidc: { client: asking, session, provider } }: KoaContextWithOIDC) {
  const grantId = session?.grantIdFor(asking?.clientId ?? '');
  return grantId ? provider.Grant.find(grantId) : undefined;
}

function newGrant({ oidc: { client: asking, session, provider } }: KoaContextWithOIDC) {
  return new provider.Grant({ clientId: asking?.clientId, accountId: session?.accountId });
}

import { markup, renderPage } from '@switchyard/service-kit';
import type { JWK } from 'jose';
import {
  type AdapterFactory,
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
  type ResourceServer,
} from 'oidc-provider';
import { applyClientRules } from '../clients/client-rules.js';
import type { GrantsService } from '../grants/grants.service.js';
import { signingAlgorithm } from '../keys/signing-keys.service.js';
import { resourceOf } from '../resources.js';

/** The one scope there is: to call what the user may call. */
export const mcpScope = 'mcp';

export const paths = {
  authorization: '/oauth2/authorize',
  token: '/oauth2/token',
  registration: '/oauth2/register',
  revocation: '/oauth2/revoke',
  jwks: '/oauth2/jwks',
  interaction: '/oauth2/interaction',
} as const;

/** A person reads, and may connect several services meanwhile. */
const interactionSeconds = 1_800;
const codeSeconds = 300;

export type ProviderParts = {
  readonly issuer: string;
  readonly resourceOrigins: readonly string[];
  readonly adapter: AdapterFactory;
  readonly keys: readonly JWK[];
  readonly cookieKey: string;
  readonly grants: GrantsService;
  readonly accessSeconds: number;
  readonly grantSeconds: number;
  readonly isRegistrationOn: boolean;
  /** Through the egress policy: clients choose the addresses. */
  readonly fetch: typeof fetch;
  /** Whether a metadata document may be fetched now for whoever asks. */
  readonly mayFetch: (address: string) => Promise<boolean>;
};

/** OAuth 2.1 for MCP clients: code with PKCE, tokens bound to one resource, consent each time, refresh rotated. */
export function providerConfiguration(parts: ProviderParts): Configuration {
  const secure = parts.issuer.startsWith('https:') ? '__Secure-' : '';
  return {
    adapter: parts.adapter,
    jwks: { keys: [...parts.keys] as never },
    cookies: {
      keys: [parts.cookieKey],
      names: {
        session: `${secure}switchyard_oauth_session`,
        interaction: `${secure}switchyard_oauth_interaction`,
        resume: `${secure}switchyard_oauth_resume`,
      },
      long: { signed: true, httpOnly: true, sameSite: 'lax' },
      short: { signed: true, httpOnly: true, sameSite: 'lax' },
    },
    routes: {
      ...{ authorization: paths.authorization, token: paths.token, jwks: paths.jwks },
      ...{ registration: paths.registration, revocation: paths.revocation },
    },
    scopes: [mcpScope],
    responseTypes: ['code'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: signingAlgorithm,
    },
    // The list has one entry for that the validator runs; it judges the whole.
    extraClientMetadata: {
      properties: ['client_kind'],
      validator: (_ctx, _key, _value, metadata) => applyClientRules(metadata as Record<string, unknown>),
    },
    allowOmittingSingleRegisteredRedirectUri: false,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    clientBasedCORS: () => true,
    interactions: {
      url: (_ctx, { uid }) => `${paths.interaction}/${uid}`,
      policy: alwaysAsk(),
    },
    findAccount: (_ctx, accountId, token) => findAccount(parts.grants, accountId, token),
    extraTokenClaims: (_ctx, token) => grantClaims(parts.grants, token),
    renderError,
    features: features(parts),
    ttl: {
      AccessToken: parts.accessSeconds,
      AuthorizationCode: codeSeconds,
      Grant: parts.grantSeconds,
      Interaction: interactionSeconds,
      // However often it is rotated, it ends when the first one would.
      RefreshToken: (ctx) => ctx?.oidc.entities.RotatedRefreshToken?.remainingTTL ?? parts.grantSeconds,
      Session: interactionSeconds,
      IdToken: parts.accessSeconds,
    },
    fetch: parts.fetch as never,
    fetchResponseBodyLimits: { default: 65_536 } as never,
  };
}

function features(parts: ProviderParts): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    claimsParameter: { enabled: false },
    registration: { enabled: parts.isRegistrationOn, issueRegistrationAccessToken: false },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    clientIdMetadataDocument: {
      enabled: true,
      ack: 'draft-02',
      cacheDuration: { min: 60, max: 3_600 },
      // Pages of ours look for clients too, outside of the library's requests: what they show was let in at the first one.
      allowFetch: (ctx: KoaContextWithOIDC | undefined) => (ctx ? parts.mayFetch(ctx.ip) : true),
    },
    resourceIndicators: {
      enabled: true,
      // Clients from before RFC 8707 name none.
      defaultResource: (_ctx, _client, several) => oneOf(several) ?? `${parts.issuer}/mcp`,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, uri) => resourceServer(parts, uri),
    },
  };
}

function oneOf(several: readonly string[] | undefined): string | undefined {
  if (several && several.length > 1) throw new errors.InvalidTarget('name one resource');
  return several?.[0];
}

function resourceServer({ resourceOrigins, accessSeconds }: ProviderParts, uri: string): ResourceServer {
  if (!resourceOf(uri, resourceOrigins)) throw new errors.InvalidTarget('that is no resource of this server');
  return {
    scope: mcpScope,
    audience: uri,
    accessTokenFormat: 'jwt',
    accessTokenTTL: accessSeconds,
    jwt: { sign: { alg: signingAlgorithm } },
  };
}

/** Who signs in, and what they share, is asked for each request: no browser is remembered between two of them. */
function alwaysAsk(): interactionPolicy.Prompt[] {
  const consent = new interactionPolicy.Check(
    'always',
    'consent is asked each time',
    'consent_required',
    ({ oidc }) => !oidc.result?.consent,
  );
  return [
    new interactionPolicy.Prompt({ name: 'login', requestable: true }),
    new interactionPolicy.Prompt({ name: 'select_account', requestable: true }),
    new interactionPolicy.Prompt({ name: 'consent', requestable: true }, consent),
  ];
}

/** Asked at consent, and for each code and refresh token that is redeemed: whoever is gone by then gets nothing. */
async function findAccount(grants: GrantsService, accountId: string, token: unknown) {
  const grantId = (token as { grantId?: string } | undefined)?.grantId;
  if (grantId !== undefined && (await grants.find(grantId))?.userId !== accountId) return undefined;
  return { accountId, claims: () => ({ sub: accountId }) };
}

/** A token says under which grant it was issued, and for which organization. */
async function grantClaims(grants: GrantsService, token: unknown): Promise<Record<string, string>> {
  const { grantId } = token as { grantId: string };
  const grant = await grants.find(grantId);
  if (!grant) throw new errors.InvalidGrant('the grant is over');
  return { grant_id: grantId, org_id: grant.orgId };
}

/** What cannot be sent back to a client is shown to the person. */
function renderError(
  ctx: KoaContextWithOIDC,
  { error, error_description: description }: { error: string; error_description?: string },
): void {
  const { headers, html } = renderPage({
    title: 'The application cannot be let in',
    body: markup`<p role="alert">${description ?? error}</p>
      <p>Go back to the application and connect again. Its makers may want to know: <code>${error}</code></p>`,
  });
  ctx.set(headers);
  ctx.type = 'html';
  ctx.body = html;
}

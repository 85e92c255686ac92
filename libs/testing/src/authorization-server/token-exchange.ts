import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { errors, type KoaContextWithOIDC, type Provider, type ResourceServer } from 'oidc-provider';
import { resourceServerOf, type ResourceOptions } from './resource-server.js';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'audience',
  'resource',
  'scope',
];

/** RFC 8693, which oidc-provider leaves to its users: a trusted issuer's token for one of ours, of the same subject. */
export function registerTokenExchange(
  provider: Provider,
  options: ResourceOptions & { trustedIssuers: () => string[] },
): void {
  const handler = async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { params = {}, client } = ctx.oidc;
    const subject = await subjectOf(String(params['subject_token']), options.trustedIssuers());
    const target = String(params['resource'] ?? params['audience'] ?? '');
    if (!target || !client) throw new errors.InvalidTarget('neither resource nor audience is given');
    ctx.body = await issue(provider, {
      ctx,
      subject,
      target,
      scope: String(params['scope'] ?? ''),
      info: resourceServerOf(options, target),
    });
  };
  provider.registerGrantType(TOKEN_EXCHANGE, handler as never, PARAMETERS);
}

async function subjectOf(token: string, trustedIssuers: string[]): Promise<string> {
  try {
    const issuer = decodeJwt(token).iss ?? '';
    if (!trustedIssuers.includes(issuer)) throw new Error('an issuer that is not trusted');
    const discovery = await fetch(`${issuer}/.well-known/openid-configuration`);
    const { jwks_uri: jwksUri } = (await discovery.json()) as { jwks_uri: string };
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwksUri)), { issuer });
    if (!payload.sub) throw new Error('a token without subject');
    return payload.sub;
  } catch (error) {
    throw new errors.InvalidGrant(`subject token: ${(error as Error).message}`);
  }
}

type Issue = {
  ctx: KoaContextWithOIDC;
  subject: string;
  target: string;
  scope: string;
  info: ResourceServer;
};

async function issue(provider: Provider, { ctx, subject, target, scope, info }: Issue): Promise<object> {
  const client = ctx.oidc.client as NonNullable<typeof ctx.oidc.client>;
  const grant = new provider.Grant({ accountId: subject, clientId: client.clientId });
  const allowed = scope.split(' ').filter((one) => info.scope.split(' ').includes(one));
  grant.addResourceScope(target, allowed.join(' '));
  const token = new provider.AccessToken({
    accountId: subject,
    client,
    grantId: await grant.save(),
    gty: TOKEN_EXCHANGE,
    scope: allowed.join(' ') || undefined,
  } as never);
  token.resourceServer = new provider.ResourceServer(target, info);
  return {
    access_token: await token.save(),
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: token.expiration,
    ...(token.scope && { scope: token.scope }),
  };
}

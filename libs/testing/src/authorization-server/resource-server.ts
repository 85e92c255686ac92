import { errors, type ResourceServer } from 'oidc-provider';

export type ResourceOptions = {
  /** Scopes of every resource. */
  scopes: string[];
  /** Resources that tokens are issued for; absent: any. */
  resources?: string[];
  /** Of access tokens, in seconds. Asked for each token. */
  accessTokenTtl: () => number;
};

/** What kind of token a resource gets: a JWT whose audience it is. */
export function resourceServerOf(options: ResourceOptions, resource: string): ResourceServer {
  if (options.resources && !options.resources.includes(resource)) throw new errors.InvalidTarget();
  return {
    scope: [...options.scopes, 'openid', 'offline_access'].join(' '),
    audience: resource,
    accessTokenFormat: 'jwt',
    accessTokenTTL: options.accessTokenTtl(),
    jwt: { sign: { alg: 'RS256' } },
  } as ResourceServer;
}

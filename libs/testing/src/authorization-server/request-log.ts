import type { KoaContextWithOIDC } from 'oidc-provider';

/** A request to the authorization server, without anything secret. */
export type LoggedRequest = {
  method: string;
  path: string;
  status: number;
  /** Of a token request. */
  grantType?: string;
  clientId?: string;
  user?: string;
  resource?: string | string[];
  scope?: string;
  /** The code of an error that was answered. */
  error?: string;
};

/** What one request was about, once it is answered. */
export function logged(ctx: KoaContextWithOIDC): LoggedRequest {
  const { params, client, account } = ctx.oidc ?? {};
  const text = (name: string) => (typeof params?.[name] === 'string' ? (params[name] as string) : undefined);
  const error = (ctx.body as { error?: unknown } | undefined)?.error;
  return {
    method: ctx.method,
    path: ctx.path,
    status: ctx.status,
    grantType: text('grant_type'),
    clientId: client?.clientId ?? text('client_id'),
    user: account?.accountId,
    resource: params?.['resource'] as string | undefined,
    scope: text('scope'),
    ...(typeof error === 'string' && { error }),
  };
}

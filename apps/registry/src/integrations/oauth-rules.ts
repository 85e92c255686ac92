import type { Judged, Rule } from './integration-rules.js';

const modes = new Set(['client_credentials', 'authorization_code', 'token_exchange']);
const isOAuth = ({ authMode }: Judged) => modes.has(authMode);
const oauthOf = ({ oauth }: Judged) => oauth ?? {};

/** What the settings of OAuth need of each other, by auth mode. What can be discovered is not asked for. */
export const oauthRules: readonly Rule[] = [
  {
    path: 'oauth',
    message: 'is only for auth_mode client_credentials, authorization_code and token_exchange',
    isBroken: (one) => one.oauth !== null && !isOAuth(one),
  },
  {
    path: 'client_secret',
    message: 'is only for auth_mode client_credentials, authorization_code and token_exchange',
    isBroken: (one) => one.hasClientSecret && !isOAuth(one),
  },
  {
    path: 'client_secret',
    message: 'needs oauth.client_id: it is the secret of a client that an admin registered',
    isBroken: (one) => one.hasClientSecret && isOAuth(one) && oauthOf(one).client_id === undefined,
  },
  {
    path: 'client_secret',
    message: 'has no use with oauth.token_endpoint_auth_method none',
    isBroken: (one) => one.hasClientSecret && oauthOf(one).token_endpoint_auth_method === 'none',
  },
  {
    path: 'client_secret',
    message: 'is needed for oauth.token_endpoint_auth_method client_secret_basic and client_secret_post',
    isBroken: (one) =>
      !one.hasClientSecret &&
      oauthOf(one).client_id !== undefined &&
      oauthOf(one).token_endpoint_auth_method?.startsWith('client_secret') === true,
  },
  {
    path: 'oauth.client_id',
    message: 'is needed for auth_mode client_credentials and token_exchange',
    isBroken: (one) =>
      (one.authMode === 'client_credentials' || one.authMode === 'token_exchange') &&
      oauthOf(one).client_id === undefined,
  },
  {
    path: 'client_secret',
    message: 'is needed for auth_mode client_credentials',
    isBroken: (one) => one.authMode === 'client_credentials' && !one.hasClientSecret,
  },
  {
    path: 'oauth.audience',
    message: 'or oauth.resource is needed for auth_mode token_exchange',
    isBroken: (one) =>
      one.authMode === 'token_exchange' &&
      oauthOf(one).audience === undefined &&
      oauthOf(one).resource === undefined,
  },
];

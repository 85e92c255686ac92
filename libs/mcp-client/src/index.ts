export { createEgressPolicy, EgressPolicy } from './egress/egress-policy.js';
export type { EgressOptions, FetchLimits } from './egress/egress-policy.js';
export { classifyFailure } from './failures/classify-failure.js';
export type { RequestFacts } from './failures/classify-failure.js';
export { UpstreamError } from './failures/upstream-error.js';
export { checkAuthorizationResponse, ConsentError } from './oauth/check-authorization-response.js';
export type { AuthorizationResponse, ConsentFailure } from './oauth/check-authorization-response.js';
export type { AuthorizationServer } from './oauth/authorization-server.js';
export { chooseScopes } from './oauth/choose-scopes.js';
export type { StepUp } from './oauth/choose-scopes.js';
export { discoverAuthorizationServer } from './oauth/discover-server.js';
export { discoverVendor } from './oauth/discover-vendor.js';
export type { DiscoveredVendor, DiscoverVendorInput } from './oauth/discover-vendor.js';
export { configuredClient, metadataDocumentClient } from './oauth/oauth-client.js';
export type { OAuthClient } from './oauth/oauth-client.js';
export { chooseRegistration, registerClient } from './oauth/register-client.js';
export type { RegisterClientInput, RegisteredClient, RegistrationKind } from './oauth/register-client.js';
export {
  exchangeToken,
  redeemCode,
  refreshTokens,
  requestClientCredentials,
} from './oauth/request-tokens.js';
export { revokeToken } from './oauth/revoke-token.js';
export { startConsent } from './oauth/start-consent.js';
export type { StartConsentInput } from './oauth/start-consent.js';
export type { TokenRequest } from './oauth/token-request.js';
export type {
  Refused,
  RefusedError,
  RevocationOutcome,
  TokenOutcome,
  Tokens,
  Unavailable,
} from './oauth/tokens.js';
export type { VendorReason } from './oauth/vendor-error.js';
export { UpstreamPool } from './pool/upstream-pool.js';
export type { PoolOptions, UseOptions } from './pool/upstream-pool.js';
export type { UpstreamCallOptions } from './sessions/call-upstream.js';
export { collectFeatures } from './sessions/collect-features.js';
export type { FeatureKind, WireFeature } from './sessions/list-features.js';
export type { AskCapabilities, Question, QuestionListener } from './sessions/questions.js';
export type { ListLimits } from './sessions/list-tools.js';
export { WantedResources } from './sessions/wanted-resources.js';
export { UpstreamSession } from './sessions/upstream-session.js';
export type { ConnectOptions } from './sessions/upstream-session.js';
export type { UpstreamTarget } from './sessions/upstream-target.js';
export { matchStdio } from './stdio/match-stdio.js';
export type { StdioCommand } from './stdio/match-stdio.js';
export { StdioProcess } from './stdio/stdio-process.js';
export type { StdioProcessOptions } from './stdio/stdio-process.js';

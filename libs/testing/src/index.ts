export { signIn, TestBrowser } from './authorization-server/sign-in.js';
export type { SignIn } from './authorization-server/sign-in.js';
export { startAuthorizationServer } from './authorization-server/start-authorization-server.js';
export type {
  AuthorizationServerOptions,
  IssueOptions,
  TestAuthorizationServer,
  TestClient,
} from './authorization-server/start-authorization-server.js';
export type { LoggedRequest } from './authorization-server/request-log.js';
export type { TestUser } from './authorization-server/users.js';
export { debianCommand } from './debian-command.js';
export { HttpsSite } from './sites/https-site.js';
export { eventually } from './eventually.js';
export { freePort, privatePostgres, privateRedis } from './stores/private-stores.js';
export { onBothQueueBackends } from './stores/queue-backends.js';
export type { TestQueueBackend } from './stores/queue-backends.js';
export { testDatabase } from './stores/test-database.js';
export type { TestDatabase } from './stores/test-database.js';
export { testPrefix, testRedisUrl } from './stores/test-redis.js';
export { testApps } from './stores/test-roles.js';
export type { TestApp } from './stores/test-roles.js';
export { endlessAnswer, testAudience, TokenIssuer } from './token-issuer/token-issuer.js';
export { calmMsOf } from './calm-ms-of.js';
export { workOf } from './work-of.js';
export { workspaceRoot } from './workspace-root.js';
export { askedUrl, askingTools, watchedUri } from './upstreams/asking-tools.js';
export { readCalls } from './upstreams/call-log.js';
export type { RecordedCall } from './upstreams/call-log.js';
export type { Fault } from './upstreams/faults.js';
export { compileProjects } from './upstreams/compile-projects.js';
export { defineTool, textResult } from './upstreams/fixture-tool.js';
export type { FixtureTool, ToolRun } from './upstreams/fixture-tool.js';
export { fixtureTools, generatedTools } from './upstreams/fixture-tools.js';
export { spawnFixtureUpstream } from './upstreams/spawn-fixture-upstream.js';
export type { SpawnedUpstream } from './upstreams/spawn-fixture-upstream.js';
export { startConformanceUpstream } from './upstreams/start-conformance-upstream.js';
export { startAskingUpstream } from './upstreams/start-asking-upstream.js';
export type { FixtureFeatures, FixturePrompt, FixtureResource } from './upstreams/fixture-features.js';
export { startFixtureUpstream } from './upstreams/start-fixture-upstream.js';
export type { FixtureOptions, FixtureUpstream } from './upstreams/start-fixture-upstream.js';
export { startProtectedUpstream } from './upstreams/start-protected-upstream.js';
export type { ProtectedOptions, ProtectedUpstream, SeenCall } from './upstreams/start-protected-upstream.js';
export { stdioFixturePath } from './upstreams/stdio-fixture-path.js';
export { startSseUpstream } from './upstreams/start-sse-upstream.js';
export type { SseUpstream } from './upstreams/start-sse-upstream.js';

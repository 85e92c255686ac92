/** Everybody who logs in to a migrated database. */
export const testApps = [
  'registry',
  'token-broker',
  'catalog-sync',
  'dispatch',
  'gateway',
  'agent-runner',
  'queue',
] as const;
export type TestApp = (typeof testApps)[number];

/** The URL of an app's role in the database of `adminUrl`. The roles are the same in every database of a test server. */
export function testRoleUrl(adminUrl: string, app: TestApp): string {
  const url = new URL(adminUrl);
  url.username = `switchyard_test_${app.replaceAll('-', '_')}`;
  url.password = `password-of-${app}`;
  return url.href;
}

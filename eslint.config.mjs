import nx from '@nx/eslint-plugin';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import { fenceConfigs, testFiles } from './scripts/lint/fences.mjs';

const everyLibrary = [
  'type:contract',
  'type:kit',
  'type:adapter',
  'type:access',
  'type:validation',
  'type:rules',
  'type:testing',
];

/** Who may depend on whom; docs: architecture, "Processes". A project without a tag may depend on nothing. */
const depConstraints = [
  { sourceTag: 'type:contract', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'type:kit', onlyDependOnLibsWithTags: ['type:contract', 'type:testing'] },
  { sourceTag: 'type:access', onlyDependOnLibsWithTags: ['type:contract', 'type:testing'] },
  {
    sourceTag: 'type:validation',
    onlyDependOnLibsWithTags: ['type:contract', 'type:kit', 'type:access', 'type:adapter', 'type:testing'],
  },
  { sourceTag: 'type:rules', onlyDependOnLibsWithTags: ['type:contract'] },
  { sourceTag: 'type:adapter', onlyDependOnLibsWithTags: ['type:contract', 'type:kit', 'type:testing'] },
  {
    sourceTag: 'type:testing',
    onlyDependOnLibsWithTags: ['type:contract', 'type:kit', 'type:adapter', 'type:testing'],
  },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: everyLibrary,
  },
  {
    sourceTag: 'type:e2e',
    onlyDependOnLibsWithTags: everyLibrary,
  },
];

const budgets = {
  'max-lines': ['error', { max: 400 }],
  'max-lines-per-function': ['error', { max: 60, skipComments: true }],
  complexity: ['error', { max: 10, variant: 'modified' }],
};

const inTests = [
  {
    selector: "CallExpression[callee.object.name='jest'][callee.property.name='mock']",
    message: 'Test the real thing.',
  },
  {
    selector:
      'CallExpression[callee.property.name=/^(only|skip)$/][callee.object.name=/^(it|test|describe)$/]',
    message: 'A test runs always, or goes.',
  },
];
const everywhere = [
  ...inTests,
  { selector: 'ExportAllDeclaration', message: 'Name what you export.' },
  // Constructors are left out: what Nest injects is a list of parts, not of arguments.
  {
    selector:
      ":matches(FunctionDeclaration, ArrowFunctionExpression, MethodDefinition[kind='method'] > FunctionExpression)[params.length>4]",
    message: 'More than four parameters: take one named object.',
  },
];
const env = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Settings are read in config.ts, once.',
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', '.switchyard/**', '**/.*.ts'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    plugins: { '@nx': nx, 'import-x': importX },
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/resolver-next': [
        importX.createNodeResolver({
          extensions: ['.ts', '.js'],
          extensionAlias: { '.js': ['.ts', '.js'] },
          conditionNames: ['switchyard-source', 'import', 'node'],
        }),
      ],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      ...budgets,
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'import-x/no-cycle': ['error', { maxDepth: 20, ignoreExternal: true }],
      'no-restricted-syntax': ['error', ...everywhere, env],
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: [],
          depConstraints,
          checkDynamicDependenciesExceptions: ['.*'],
        },
      ],
    },
  },
  { plugins: { '@typescript-eslint': tseslint.plugin } },
  ...fenceConfigs(),
  {
    files: ['**/config.ts', 'libs/service-kit/src/config/**', 'scripts/**'],
    rules: { 'no-restricted-syntax': ['error', ...everywhere] },
  },
  // What a test reads off the wire has no type yet: the test is what judges it.
  {
    files: testFiles,
    rules: {
      'max-lines-per-function': 'off',
      complexity: 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      'no-restricted-syntax': ['error', ...inTests],
    },
  },
  // Projects are what Nx knows; scripts, and what stands in for another process in a test, are outside of them.
  {
    files: ['scripts/**', '**/test-fixtures/**'],
    rules: { 'no-console': 'off', '@nx/enforce-module-boundaries': 'off' },
  },
  { files: ['apps/*/migrations/**'], rules: { 'max-lines-per-function': 'off' } },
);

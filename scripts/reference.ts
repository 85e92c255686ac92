/**
 * Writes the reference pages from what the code declares: `node scripts/reference.ts`; with `--check` it writes
 * nothing and exits with 1 when a page is not current. Reads the compiled projects, so build first.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configPage, envExample } from './reference/config-page.ts';
import { errorsPage } from './reference/errors-page.ts';
import { queuesPage } from './reference/queues-page.ts';

const root = join(import.meta.dirname, '..');

const pages: Record<string, () => Promise<string>> = {
  'docs/reference/errors.md': errorsPage,
  'docs/reference/queues.md': queuesPage,
  'docs/reference/config.md': configPage,
  '.env.example': envExample,
};

const isCheck = process.argv.includes('--check');
for (const [path, render] of Object.entries(pages)) {
  const text = await render();
  const file = join(root, path);
  if (!isCheck) writeFileSync(file, text);
  else if (readOrEmpty(file) !== text) {
    process.stderr.write(`${path} is not current: run node scripts/reference.ts\n`);
    process.exitCode = 1;
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

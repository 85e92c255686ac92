/** Lints every fixture and prints, as JSON, what ESLint says of each: `[{ ruleId, message }, …][]`. */
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { fixtures } from './fixtures.ts';

const root = join(import.meta.dirname, '../..');
const eslint = new ESLint({ cwd: root });
const said: { ruleId: string | null; message: string }[][] = [];
for (const { file, code } of fixtures) {
  const [result] = await eslint.lintText(code, { filePath: join(root, file) });
  said.push((result?.messages ?? []).map(({ ruleId, message }) => ({ ruleId, message })));
}
process.stdout.write(JSON.stringify(said));

/**
 * Compiles TypeScript to ESM with SWC: `node scripts/build.ts [project folder …]`, all projects by default.
 *
 * SWC rather than tsc: it emits the decorator metadata that Nest needs in about a second for the whole
 * workspace, so that a later `npm start` stays within seconds. Types are checked apart (`npm run check`).
 * A file is compiled again only when it is newer than what stands in `dist`.
 */
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformFile } from '@swc/core';

const root = join(import.meta.dirname, '..');

/** Compiles the given project folders (relative to the workspace); returns how many files were written. */
export async function build(projects: string[] = globSync('{apps,libs}/*', { cwd: root })): Promise<number> {
  const jobs = projects.flatMap((project) => staleFiles(project));
  await Promise.all(jobs.map(compile));
  return jobs.length;
}

type Job = { source: string; target: string };

function staleFiles(project: string): Job[] {
  const folder = join(root, project);
  const sources = globSync('{src,migrations}/**/*.ts', {
    cwd: folder,
    exclude: (name) => /spec\.ts$/.test(String(name)),
  });
  removeOrphans(folder, new Set(sources.map((file) => file.replace(/\.ts$/, '.js'))));
  return sources
    .map((file) => ({
      source: join(folder, file),
      target: join(folder, 'dist', file.replace(/\.ts$/, '.js')),
    }))
    .filter(({ source, target }) => modifiedAt(source) > modifiedAt(target));
}

/** A deleted migration or provider must not linger in `dist`, where a glob could still load it. */
function removeOrphans(folder: string, expected: Set<string>): void {
  for (const file of globSync('dist/**/*.js', { cwd: folder })) {
    if (!expected.has(relative('dist', file))) rmSync(join(folder, file), { force: true });
  }
}

async function compile({ source, target }: Job): Promise<void> {
  const { code, map } = await transformFile(source, {
    cwd: root,
    sourceFileName: relative(dirname(target), source),
  });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(`${target}.map`, map ?? '');
  writeFileSync(target, `${code}\n//# sourceMappingURL=${target.split('/').at(-1)}.map\n`);
}

function modifiedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folders = process.argv.slice(2);
  const written = await build(folders.length ? folders : undefined);
  const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name: string };
  process.stdout.write(`${name}: ${written} files compiled\n`);
}

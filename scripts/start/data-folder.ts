/** The folder of one installation: secrets, PostgreSQL's files, logs, samples and `dev.json`. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { canEnter, findPostgres } from '../stores/postgres-binaries.ts';

/** Makes the folder, for its owner alone. */
export function makeDataFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  mkdirSync(join(folder, 'logs'), { recursive: true });
}

/** Forgets everything but the lock, and the files named. */
export function cleanDataFolder(folder: string, kept: readonly string[] = []): void {
  const link = join(folder, 'postgres');
  if (existsSync(link)) rmSync(realpathSync(link), { recursive: true, force: true });
  for (const name of readdirSync(folder))
    if (name !== 'start.lock' && !kept.includes(name))
      rmSync(join(folder, name), { recursive: true, force: true });
  makeDataFolder(folder);
}

/**
 * Where PostgreSQL keeps its files. As root it runs as another user, who must pass through our folder (0711: names of
 * files stay hidden). Below a private home it cannot, and its files lie under /var/lib, with a link from here.
 */
export function postgresFolder(folder: string): string {
  const inside = join(folder, 'postgres');
  const { user } = findPostgres();
  if (!user || existsSync(inside)) {
    if (user) chmodSync(folder, 0o711);
    return existsSync(inside) ? realpathSync(inside) : inside;
  }
  chmodSync(folder, 0o711);
  if (canEnter(folder, user)) return inside;
  const outside = join(
    '/var/lib/switchyard',
    createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 16),
  );
  mkdirSync('/var/lib/switchyard', { recursive: true, mode: 0o755 });
  rmSync(inside, { force: true });
  // Left behind by a folder that was deleted: nobody has the keys of this database any more.
  rmSync(outside, { recursive: true, force: true });
  symlinkSync(outside, inside);
  return outside;
}

/** Replaces a private file in one step, so that a reader sees the old or the new one. */
export function writePrivateFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

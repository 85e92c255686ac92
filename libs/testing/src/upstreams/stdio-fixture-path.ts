import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The script of the stdio fixture, to be run with `process.execPath`. */
export function stdioFixturePath(): string {
  return fileURLToPath(new URL(`./stdio-fixture${extname(import.meta.url)}`, import.meta.url));
}

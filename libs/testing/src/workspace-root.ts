import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the workspace, found from here upwards, whether this runs from `src` or from `dist`. */
export function workspaceRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'nx.json'))) {
    if (dirname(folder) === folder) throw new Error('nx.json is nowhere above this file');
    folder = dirname(folder);
  }
  return folder;
}

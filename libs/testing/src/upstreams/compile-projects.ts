import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { workspaceRoot } from '../workspace-root.js';

/** Compiles projects (`libs/testing`) that a test starts as a process. Quick where nothing changed. */
export async function compileProjects(...projects: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [join(workspaceRoot(), 'scripts/build.ts'), ...projects]);
}

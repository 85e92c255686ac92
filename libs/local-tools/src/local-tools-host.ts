import { fileURLToPath } from 'node:url';

/** With this begins the line of stderr in which a host says why it does not start. */
export const startFailure = 'local tools: ';

/** How the host of a folder is started: with this very Node, and nothing of this process's environment. */
export function localToolsHost(folder: string): { command: string; args: string[]; env: string[] } {
  const isSource = import.meta.url.endsWith('.ts');
  const host = new URL(isSource ? '../dist/src/host.js' : './host.js', import.meta.url);
  return { command: process.execPath, args: [fileURLToPath(host), folder], env: [] };
}

/** Why a host did not start, by the end of what it wrote to stderr. */
export function whyNotStarted(written: string | undefined): string | undefined {
  const line = written?.split('\n').findLast((one) => one.startsWith(startFailure));
  return line?.slice(startFailure.length);
}

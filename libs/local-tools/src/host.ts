/**
 * The process that serves a folder of local tools: `node host.js <folder>`. MCP has stdin and stdout to itself; what tools print
 * goes to stderr. Where the folder is wrong it says why on stderr, and ends with 1.
 */
import { Console } from 'node:console';
import { registerHooks } from 'node:module';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { startFailure } from './local-tools-host.js';
import { loadTools } from './load-tools.js';
import { toolServer } from './serve-tools.js';

const { stdin, stdout, stderr } = process;
Object.defineProperty(process, 'stdout', { get: () => stderr });
globalThis.console = new Console(stderr, stderr);

/** The folder may be anywhere on the disk: what it does not find there of these two, it gets from us. */
registerHooks({
  resolve(specifier, context, next) {
    const ours = () => next(specifier, { ...context, parentURL: import.meta.url });
    if (specifier === '@switchyard/local-tools') return ours();
    if (!/^zod(\/|$)/.test(specifier)) return next(specifier, context);
    try {
      return next(specifier, context);
    } catch {
      return ours();
    }
  },
});

try {
  const tools = (await loadTools(process.argv[2] ?? '')).map(({ tool }) => tool);
  serveStdio(() => toolServer(tools), { transport: new StdioServerTransport(stdin, stdout) });
  stdin.once('end', () => process.exit(0));
} catch (error) {
  stderr.write(`${startFailure}${(error as Error).message.replaceAll('\n', ' ')}\n`, () => process.exit(1));
}

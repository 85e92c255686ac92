/** The sample upstreams: real MCP servers from npm, one over Streamable HTTP and two over stdio. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, isFree } from '../stores/free-port.ts';
import { writePrivateFile } from './data-folder.ts';
import { KeptProcess } from './kept-process.ts';

export type Sample = { slug: string; name: string; transport: Record<string, unknown> };

const sampleFiles: Record<string, string> = {
  'welcome.txt': 'Welcome to Switchyard. This file was read through the durable queue.\n',
  'todo.md': '# To do\n\n- [ ] point an MCP client at /mcp\n- [ ] register a server of your own\n',
};

/** Writes the sample files and the allow-list of stdio servers; gives the path of the list. */
export function prepareStdioSamples(root: string, dataFolder: string, given?: string): string {
  const folder = join(dataFolder, 'samples');
  const files = join(folder, 'files');
  mkdirSync(files, { recursive: true });
  for (const [name, text] of Object.entries(sampleFiles))
    if (!existsSync(join(files, name))) writeFileSync(join(files, name), text);
  // An allow-list entry has fixed arguments alone, and Node reads variables from a file that an argument names.
  const memoryEnv = join(folder, 'memory.env');
  writeFileSync(memoryEnv, `MEMORY_FILE_PATH="${join(folder, 'memory.jsonl')}"\n`);
  const entries = [
    { name: 'filesystem', command: process.execPath, args: [scriptOf(root, 'filesystem'), files] },
    {
      name: 'memory',
      command: process.execPath,
      args: [`--env-file=${memoryEnv}`, scriptOf(root, 'memory')],
    },
  ];
  const others = given ? (JSON.parse(readFileSync(given, 'utf8')) as unknown[]) : [];
  const list = join(dataFolder, 'stdio-allowlist.json');
  writePrivateFile(list, `${JSON.stringify([...entries, ...others], null, 2)}\n`);
  return list;
}

/** server-everything behind mcp-proxy: by itself it listens on every interface of the machine. */
export class EverythingServer {
  readonly port: number;
  readonly #process: KeptProcess;

  private constructor(root: string, dataFolder: string, port: number) {
    this.port = port;
    const proxy = join(root, 'node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs');
    const options = ['--host', '127.0.0.1', '--port', String(port), '--server', 'stream'];
    const server = [process.execPath, scriptOf(root, 'everything'), 'stdio'];
    this.#process = new KeptProcess(
      [proxy, ...options, '--', ...server],
      join(dataFolder, 'logs/samples.log'),
    );
  }

  /** On the port of the last start if it is still free, for its URL is registered. */
  static async start(root: string, dataFolder: string, lastPort?: number): Promise<EverythingServer> {
    const port = lastPort && (await isFree(lastPort)) ? lastPort : await freePort();
    return new EverythingServer(root, dataFolder, port);
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }
}

/** What is registered at the first start. */
export function samplesOf(everything: EverythingServer): Sample[] {
  return [
    {
      slug: 'everything',
      name: 'Everything (sample, HTTP)',
      transport: { type: 'http', url: `http://127.0.0.1:${everything.port}/mcp` },
    },
    {
      slug: 'filesystem',
      name: 'Files (sample, stdio)',
      transport: { type: 'stdio', command: 'filesystem', args: [] },
    },
    {
      slug: 'memory',
      name: 'Memory (sample, stdio)',
      transport: { type: 'stdio', command: 'memory', args: [] },
    },
  ];
}

function scriptOf(root: string, server: string): string {
  return join(root, `node_modules/@modelcontextprotocol/server-${server}/dist/index.js`);
}

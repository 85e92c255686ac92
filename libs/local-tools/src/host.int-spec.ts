import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { compileProjects, workspaceRoot } from '@switchyard/testing';
import { localToolsHost, whyNotStarted } from './local-tools-host.js';

beforeAll(() => compileProjects('libs/contracts', 'libs/local-tools'), 60_000);

const begin = `import { defineTool } from '@switchyard/local-tools';\nimport { z } from 'zod';\n`;
const tool = (name: string, handler = `() => 'x'`, more = '') =>
  `defineTool({ name: '${name}', description: 'd', input: z.object({ n: z.int().optional() }), handler: ${handler}, ${more} })`;

/** A folder far from ours, with `begin` before each file's code. */
function folder(files: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), 'switchyard-tools-'));
  for (const [name, code] of Object.entries(files)) writeFileSync(join(path, name), begin + code);
  return path;
}

async function using<T>(
  path: string,
  work: (client: Client) => Promise<T>,
  mode: 'legacy' | 'auto' = 'auto',
) {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const { command, args } = localToolsHost(path);
  await client.connect(new StdioClientTransport({ command, args, env: {}, stderr: 'ignore' }));
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

const namesIn = (path: string) =>
  using(path, async (client) => (await client.listTools()).tools.map(({ name }) => name).sort());

/** What the host says when it does not start. */
function refusal(path: string): Promise<string> {
  const { command, args } = localToolsHost(path);
  return new Promise((resolve, reject) => {
    execFile(command, args, { env: {} }, (error, stdout, stderr) =>
      error?.code === 1 && stdout === '' ? resolve(String(whyNotStarted(stderr))) : reject(stderr),
    );
  });
}

describe('the host', () => {
  it('serves what the files of a folder export, as TypeScript or JavaScript, one or many', async () => {
    const path = folder({
      'a.ts': `const n: number = 1;\nexport default ${tool('a', '() => n')};\nexport const limit = 3;`,
      'b.mts': `export const one = ${tool('b1')};\nexport default one;\nexport const two = ${tool('b2')};`,
      'c.mjs': `import { shared } from './_shared.ts';\nexport const tools = [${tool('c1', 'shared')}, ${tool('c2')}];`,
      '_shared.ts': `export const shared = () => 's';`,
      'a.spec.ts': `throw new Error('no test is loaded');`,
      'a.test.mjs': `throw new Error('no test is loaded');`,
      'notes.md': '',
    });
    expect(await namesIn(path)).toEqual(['a', 'b1', 'b2', 'c1', 'c2']);
  });

  it.each(['legacy', 'auto'] as const)(
    'tells what a tool is and runs it, for a client of mode %s',
    async (mode) => {
      const path = folder({
        'a.ts': `export default ${tool('a', `({ n }) => ({ got: n })`, `title: 'A', policy: 'auto_execute', annotations: { readOnlyHint: true }`)};`,
      });
      const [listed, result, refused] = await using(
        path,
        async (client) => [
          (await client.listTools()).tools,
          await client.callTool({ name: 'a', arguments: { n: 4, other: 1 } }),
          await client.callTool({ name: 'a', arguments: { n: 'four' } }),
        ],
        mode,
      );
      expect(listed).toMatchObject([
        {
          ...{ name: 'a', title: 'A', description: 'd', annotations: { readOnlyHint: true } },
          inputSchema: { type: 'object', properties: { n: { type: 'integer' } } },
          _meta: { 'io.switchyard/policy': 'auto_execute' },
        },
      ]);
      expect(result).toMatchObject({ structuredContent: { got: 4 } });
      expect(refused).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('n:') }] });
    },
  );

  it('leaves the wire to MCP, whatever tools print', async () => {
    const path = folder({
      'a.mjs': `console.log('one');\nprocess.stdout.write('two');\nexport default ${tool('a', `() => (console.log('three'), 'x')`)};`,
    });
    const result = await using(path, (client) => client.callTool({ name: 'a', arguments: {} }));
    expect(result).toMatchObject({ content: [{ type: 'text', text: 'x' }] });
  });

  it('serves the example', async () => {
    const path = join(workspaceRoot(), 'docs/examples/local-tools');
    expect(await namesIn(path)).toEqual(['append_note', 'business_days']);
    const days = (from: string, to: string) =>
      using(path, (client) => client.callTool({ name: 'business_days', arguments: { from, to } }));
    expect(await days('2026-11-30', '2026-12-06')).toMatchObject({ structuredContent: { days: 5 } });
    expect(await days('2026-11-30', '2026-11-29')).toMatchObject({ isError: true });
  });

  it('does not start with two tools of one name, and names both files', async () => {
    const path = folder({
      'a.ts': `export default ${tool('twin')};`,
      'b.mjs': `export default ${tool('twin')};`,
    });
    expect(await refusal(path)).toBe(
      `tool 'twin' already registered: by ${path}/a.ts, and again by ${path}/b.mjs`,
    );
  });

  it.each([
    ['throws', `throw new Error('at once');`, 'does not load: at once'],
    ['cannot be read as code', 'export default {{;', 'does not load: '],
    ['imports what is not there', `import 'left-pad-of-nobody';`, 'left-pad-of-nobody'],
    ['defines a tool wrongly', `export default ${tool('no name')};`, 'has a wrong name'],
    [
      'exports no definition',
      `export default { name: 'a', handler: () => 1 };`,
      'exports no tool: use defineTool',
    ],
    ['only defines a tool', `${tool('a')};`, 'exports no tool'],
    [
      'has a schema without a JSON Schema',
      `export default defineTool({ name: 'a', description: 'd', input: z.object({ at: z.date() }), handler: () => 1 });`,
      `a schema of tool 'a' cannot be described`,
    ],
  ])('does not start with a file that %s, and names it', async (_what, code, says) => {
    const path = folder({ 'wrong.mjs': code, 'right.mjs': `export default ${tool('right')};` });
    const said = await refusal(path);
    expect(said).toContain(`${path}/wrong.mjs`);
    expect(said).toContain(says);
  });

  it('does not start without its folder, and names it', async () => {
    expect(await refusal('/nowhere/tools')).toContain('the folder /nowhere/tools cannot be read');
  });
});

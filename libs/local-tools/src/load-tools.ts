import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isLocalTool, type LocalTool } from './define-tool.js';

/** A tool and the file that exports it. */
export type LoadedTool = { readonly tool: LocalTool; readonly file: string };

const moduleName = /^[^_.].*\.m?[jt]s$/;
const otherName = /\.(spec|test|d)\.m?[jt]s$/;

/**
 * The tools that the files directly in `folder` export: `*.ts`, `*.mts`, `*.js`, `*.mjs`, but not `_*`, `*.spec.*` and
 * `*.test.*`. Throws, naming the file, where one does not load, exports no tool, or has the name of another's.
 */
export async function loadTools(folder: string): Promise<LoadedTool[]> {
  const found = new Map<string, LoadedTool>();
  for (const file of filesOf(folder)) {
    for (const tool of await toolsOf(file)) {
      const { name } = tool;
      assertDescribable(tool, file);
      const other = found.get(name);
      if (other) throw new Error(`tool '${name}' already registered: by ${other.file}, and again by ${file}`);
      found.set(name, { tool, file });
    }
  }
  return [...found.values()];
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => moduleName.test(name) && !otherName.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    throw new Error(`the folder ${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function toolsOf(file: string): Promise<LocalTool[]> {
  const exported = await exportsOf(file);
  // One may be the default and have a name too.
  const tools = [...new Set(Object.values(exported).flat())].filter(isLocalTool);
  if (tools.length === 0)
    throw new Error(
      `${file} exports no tool: use defineTool, or begin its name with "_" if it is none of its own`,
    );
  return tools;
}

async function exportsOf(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`${file} does not load: ${messageOf(error)}`, { cause: error });
  }
}

/** What no JSON Schema can say would otherwise fail the whole list, each time that it is asked for. */
function assertDescribable({ name, input, output }: LocalTool, file: string): void {
  const target = 'draft-2020-12' as const;
  try {
    input['~standard'].jsonSchema.input({ target });
    output?.['~standard'].jsonSchema.output({ target });
  } catch (error) {
    throw new Error(`${file}: a schema of tool '${name}' cannot be described: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

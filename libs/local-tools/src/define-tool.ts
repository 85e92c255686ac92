import type { LocalCaller } from '@switchyard/contracts';
import { z } from 'zod';

/** What MCP lets a server say of a tool. Hints: `readOnlyHint` or `idempotentHint` let a call be sent twice. */
export type LocalToolAnnotations = {
  readOnlyHint?: boolean;
  destructiveHint?: boolean;
  idempotentHint?: boolean;
  openWorldHint?: boolean;
};

/** What a handler knows of its call. */
export type LocalToolContext = {
  /** Who calls; null where the tools are served without Switchyard. The arguments never say who calls, this does. */
  readonly caller: LocalCaller | null;
  /** Fires when the call is cancelled or its time is over. */
  readonly signal: AbortSignal;
};

/** A result in MCP's own form. */
export type LocalToolResult = {
  content: ({ type: string } & Record<string, unknown>)[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
};

/** Text, a JSON value, or an MCP result. */
export type LocalToolValue = string | number | boolean | null | undefined | void | object;

/** With an output schema a handler returns what that describes; an MCP result only tells of an error. */
export type LocalToolReturn<Output> = Output extends z.ZodObject
  ? z.input<Output> | LocalToolResult
  : LocalToolValue;

export type LocalToolOptions<Input extends z.ZodObject, Output extends z.ZodObject | undefined> = {
  /** Unique in the folder; callers see `<slug>_<name>`. */
  name: string;
  title?: string;
  description: string;
  input: Input;
  output?: Output;
  /** Whether a run may call it without asking a person, where neither the agent nor the integration says otherwise. */
  policy?: 'auto_execute' | 'require_approval';
  annotations?: LocalToolAnnotations;
  /** What it throws becomes the tool's error, by its message alone. */
  handler(
    args: z.output<Input>,
    context: LocalToolContext,
  ): LocalToolReturn<Output> | Promise<LocalToolReturn<Output>>;
};

/** A tool as a folder exports it. */
export type LocalTool = LocalToolOptions<z.ZodObject, z.ZodObject | undefined>;

/** Of all copies of this library: a folder may resolve another than the host's. */
const mark = Symbol.for('switchyard.local-tool');
const namePattern = /^[A-Za-z0-9_.-]{1,128}$/;

/** What a file of plain JavaScript may hand over. */
type Given = Record<keyof LocalTool, unknown>;
const isEmpty = (text: unknown) => typeof text !== 'string' || text.trim() === '';

const problems: readonly { says: string; isBroken(given: Given): boolean }[] = [
  {
    says: 'has a wrong name: 1 to 128 letters, digits, "_", "-" or "."',
    isBroken: ({ name }) => typeof name !== 'string' || !namePattern.test(name),
  },
  { says: 'has no description', isBroken: ({ description }) => isEmpty(description) },
  { says: 'has an input that is no z.object of zod 4', isBroken: ({ input }) => !isObjectSchema(input) },
  {
    says: 'has an output that is no z.object of zod 4',
    isBroken: ({ output }) => output !== undefined && !isObjectSchema(output),
  },
  {
    says: 'has a policy that is neither auto_execute nor require_approval',
    isBroken: ({ policy }) => ![undefined, 'auto_execute', 'require_approval'].includes(policy as string),
  },
  { says: 'has no handler', isBroken: ({ handler }) => typeof handler !== 'function' },
];

/** Makes a function a tool, for a file of the local tools' folder to export. Throws where it cannot be one. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject | undefined = undefined>(
  options: LocalToolOptions<Input, Output>,
): LocalTool {
  const wrong = problems.find(({ isBroken }) => isBroken(options as unknown as Given));
  if (wrong) throw new Error(`tool ${JSON.stringify(options.name)} ${wrong.says}`);
  return Object.freeze({ ...options, [mark]: true }) as unknown as LocalTool;
}

/** Whether `defineTool` made it. */
export function isLocalTool(value: unknown): value is LocalTool {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[mark] === true;
}

/** By form, not by class: the folder may bring a zod of its own. */
function isObjectSchema(schema: unknown): boolean {
  const { _zod: zod, '~standard': standard } = (schema ?? {}) as {
    _zod?: { def?: { type?: string } };
    '~standard'?: { jsonSchema?: unknown };
  };
  return zod?.def?.type === 'object' && standard?.jsonSchema !== undefined;
}

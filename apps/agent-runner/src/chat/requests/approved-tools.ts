import { PlatformError } from '@switchyard/contracts';
import { z } from 'zod';

/** A call that somebody approved or denied in the request shape of 001: by its id, or by its tool's name and arguments. */
export type ApprovedTool = {
  readonly name: string | null;
  /** The approval's, or the call's as the answer named it. */
  readonly id: string | null;
  /** JSON text of what was shown. */
  readonly arguments: string | null;
};

const Function = z.looseObject({ name: z.string().min(1).max(256), arguments: z.string().optional() });
const Named = z.looseObject({ id: z.string().max(256).nullish(), function: Function.partial().optional() });
const Item = z.looseObject({
  function: Function.partial().optional(),
  tool: Named.optional(),
  tool_call: Named.optional(),
  approval_id: z.string().max(256).optional(),
});

/** Names as Go writes them, which has no tags for these. */
const goNames: Readonly<Record<string, string>> = {
  Tool: 'tool',
  ToolCall: 'tool_call',
  ClientName: 'client_name',
  ApprovalID: 'approval_id',
  Function: 'function',
  Name: 'name',
  Arguments: 'arguments',
  ID: 'id',
};

const Asked = z.looseObject({
  role: z.literal('assistant'),
  tool_calls: z.array(z.looseObject({ id: z.string().max(256), function: Function })).max(200),
});

/**
 * Items of `pending_mcp_tools`, or tools alone. A tool alone means the calls of that name in the last message of `history` that has
 * calls, as 001 sends them along. Throws `invalid_request` for one that names nothing.
 */
export function readApprovedTools(
  items: readonly unknown[],
  history: readonly unknown[] = [],
): ApprovedTool[] {
  const asked = history.flatMap((message) => Asked.safeParse(message).data ?? []).at(-1)?.tool_calls ?? [];
  return readItems(items).flatMap((tool) => {
    const meant = isNameAlone(tool) ? asked.filter((call) => call.function.name === tool.name) : [];
    if (meant.length === 0) return [tool];
    return meant.map((call) => ({
      name: tool.name,
      id: call.id,
      arguments: call.function.arguments ?? null,
    }));
  });
}

function readItems(items: readonly unknown[]): ApprovedTool[] {
  return items.map((item) => {
    const read = Item.safeParse(spelledOurWay(item));
    const tool = read.success ? toApproved(read.data) : undefined;
    if (!tool)
      throw new PlatformError('invalid_request', {
        message:
          'Each of the tools has `function.name`, `tool.function.name`, `tool_call.id` or `approval_id`.',
      });
    return tool;
  });
}

function toApproved(item: z.output<typeof Item>): ApprovedTool | undefined {
  const { tool, tool_call: call, approval_id: approvalId } = item;
  const [name = null] = namesIn(call, tool, item);
  const [id = null] = [approvalId, call?.id].filter((one) => typeof one === 'string');
  if (name === null && id === null) return undefined;
  const [args = null] = [call, item].flatMap((holder) => holder?.function?.arguments ?? []);
  return { name, id, arguments: args };
}

/** Says which tool and not which call: what waits now may not be what its user was shown. */
export function isNameAlone({ id, arguments: args }: ApprovedTool): boolean {
  return id === null && args === null;
}

function namesIn(...holders: ({ function?: { name?: string } } | undefined)[]): string[] {
  return holders.flatMap((holder) => holder?.function?.name ?? []);
}

function spelledOurWay(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > 3) return value;
  const entries = Object.entries(value).map(([key, inner]) => [
    Object.hasOwn(goNames, key) ? goNames[key] : key,
    spelledOurWay(inner, depth + 1),
  ]);
  return Object.fromEntries(entries) as unknown;
}

import type { ListedTool } from './listed-tool.js';

/** Why a tool of the catalog is off. What an admin switched off stays off, whatever the vendor does. */
export type DisabledReason = 'vanished' | 'admin' | 'invalid_schema';

/** What the catalog knows of a tool, without its wire object. */
export type StoredTool = {
  readonly name: string;
  readonly qualifiedName: string;
  readonly wireSha256: string;
  readonly disabledReason: DisabledReason | null;
  readonly disabledDetail: string | null;
  readonly warnings: readonly string[];
};

/** A row to insert, or to update by its name. */
export type ToolWrite = ListedTool & {
  readonly disabledReason: DisabledReason | null;
  readonly disabledDetail: string | null;
};

export type CatalogDiff = {
  /** New, changed, returned and newly unusable tools. */
  readonly writes: readonly ToolWrite[];
  readonly vanished: readonly string[];
  /** How many tools can be used after the change. */
  readonly toolCount: number;
  readonly isChanged: boolean;
};

/** Compares a complete, successful list with the catalog. Writes nothing for what is as it was. */
export function diffCatalog(stored: readonly StoredTool[], listed: readonly ListedTool[]): CatalogDiff {
  const before = new Map(stored.map((tool) => [tool.name, tool]));
  const after = listed.map((tool) => asWrite(tool, before.get(tool.name)));
  const names = new Set(listed.map(({ name }) => name));
  const writes = after.filter((tool) => !isSame(tool, before.get(tool.name)));
  const vanished = stored
    .filter(
      (tool) =>
        tool.disabledReason !== 'vanished' && tool.disabledReason !== 'admin' && !names.has(tool.name),
    )
    .map(({ name }) => name);
  return {
    writes,
    vanished,
    toolCount: after.filter((tool) => tool.disabledReason === null).length,
    isChanged: writes.length + vanished.length > 0,
  };
}

function asWrite(tool: ListedTool, before: StoredTool | undefined): ToolWrite {
  if (before?.disabledReason === 'admin')
    return { ...tool, disabledReason: 'admin', disabledDetail: before.disabledDetail };
  return {
    ...tool,
    disabledReason: tool.problem === null ? null : 'invalid_schema',
    disabledDetail: tool.problem,
  };
}

function isSame(tool: ToolWrite, before: StoredTool | undefined): boolean {
  return (
    before !== undefined &&
    before.wireSha256 === tool.wireSha256 &&
    before.qualifiedName === tool.qualifiedName &&
    before.disabledReason === tool.disabledReason &&
    before.disabledDetail === tool.disabledDetail &&
    before.warnings.join() === tool.warnings.join()
  );
}

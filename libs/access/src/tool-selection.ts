/** A compiled list of tool names. */
export type ToolSelection = (toolName: string, outwardName: string) => boolean;

/** Selects every tool. */
export const everyTool: ToolSelection = () => true;

/** Selects no tool. */
export const noTool: ToolSelection = () => false;

/**
 * Compiles a list of names with the one meaning that all lists have: absent = every tool, empty = none, `*` = every
 * tool, else those that are named, by the upstream's name or the outward one, exactly as written.
 */
export function toolSelection(names: readonly string[] | null | undefined): ToolSelection {
  if (!names || names.includes('*')) return everyTool;
  if (names.length === 0) return noTool;
  const set = new Set(names);
  return (toolName, outwardName) => set.has(toolName) || set.has(outwardName);
}

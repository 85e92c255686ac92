import type { ToolOverride, ToolRecord } from './records.js';

/** Whether a tool may be sent twice: an admin's word, else the vendor's `readOnlyHint` or `idempotentHint`. */
export function isSafeTool(tool: Pick<ToolRecord, 'wire'>, override: ToolOverride | undefined): boolean {
  const hints = tool.wire.annotations;
  return override?.safe ?? (hints?.readOnlyHint === true || hints?.idempotentHint === true);
}

import { readFileSync } from 'node:fs';
import { StdioAllowlist } from '@switchyard/contracts';
import { ConfigError } from '@switchyard/service-kit';

/** The operators' list of stdio commands, read once at the start. No path is an empty list: nothing may be started. */
export function readStdioAllowlist(path: string | undefined): StdioAllowlist {
  if (!path) return [];
  try {
    return StdioAllowlist.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new ConfigError('registry', [
      `SWITCHYARD_STDIO_ALLOWLIST: ${error instanceof Error ? error.message : 'is not readable'}`,
    ]);
  }
}

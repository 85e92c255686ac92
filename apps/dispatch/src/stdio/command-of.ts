import type { IntegrationRecord } from '@switchyard/access';
import { LOCAL_KIND, LOCAL_TOOLS_COMMAND, PlatformError } from '@switchyard/contracts';
import { localToolsHost } from '@switchyard/local-tools';
import { matchStdio, type StdioCommand } from '@switchyard/mcp-client';
import type { DispatchConfig } from '../config.js';

type Settings = Pick<DispatchConfig, 'stdioAllowlist' | 'localTools'>;

/**
 * What is started for a stdio integration: what the operators' list allows, and for the one of kind `local` the host of the
 * folder that they named. Neither ever for the other. Throws `stdio_not_allowed`.
 */
export function commandOf(
  { kind, transport }: Pick<IntegrationRecord, 'kind' | 'transport'>,
  orgSlug: string,
  { stdioAllowlist, localTools }: Settings,
): StdioCommand {
  if (transport.type !== 'stdio') throw new Error('not a stdio integration');
  if (kind !== LOCAL_KIND) return matchStdio(stdioAllowlist, transport, orgSlug);
  if (transport.command !== LOCAL_TOOLS_COMMAND) throw new PlatformError('stdio_not_allowed');
  if (localTools === null)
    throw new PlatformError('stdio_not_allowed', {
      message: 'SWITCHYARD_LOCAL_TOOLS is not set for this dispatch worker.',
    });
  return localToolsHost(localTools);
}

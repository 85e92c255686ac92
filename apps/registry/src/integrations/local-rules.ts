import { isDeepStrictEqual } from 'node:util';
import { LOCAL_KIND, PlatformError } from '@switchyard/contracts';
import type { IntegrationEntity } from './integration.entity.js';

const operators = 'The operator’s setting SWITCHYARD_LOCAL_TOOLS';

/** What runs on our machines only the operator's setting says. Throws `conflict`. */
export function refuseLocalChange(row: IntegrationEntity, next: IntegrationEntity): void {
  if (row.kind !== LOCAL_KIND) return;
  if (!isDeepStrictEqual(row.transport, next.transport))
    throw new PlatformError('conflict', { message: `${operators} says what the local tools are.` });
  if (next.offBySetting && next.enabled)
    throw new PlatformError('conflict', { message: `${operators} is not there: nothing would be started.` });
}

/** Throws `conflict`: it would be back at the next start. */
export function refuseLocalRemoval({ kind }: IntegrationEntity): void {
  if (kind !== LOCAL_KIND) return;
  throw new PlatformError('conflict', {
    message: `${operators} makes the local tools; without it they are disabled. An admin can disable them too.`,
  });
}

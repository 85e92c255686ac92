import { isDeepStrictEqual } from 'node:util';
import type { IntegrationEntity } from './integration.entity.js';

/** What a change raises. `hasNewSecrets`: values in the vault changed too, which the row does not show. */
export function nextVersions(
  row: IntegrationEntity,
  next: IntegrationEntity,
  { hasNewSecrets }: { hasNewSecrets: boolean },
): Pick<IntegrationEntity, 'version' | 'connectionVersion' | 'updatedAt'> {
  const isOther = hasNewSecrets || !isDeepStrictEqual(connectionOf(row), connectionOf(next));
  return {
    version: row.version + 1,
    connectionVersion: row.connectionVersion + (isOther ? 1 : 0),
    updatedAt: new Date(),
  };
}

/** All that a connection, or a stdio server's process, is made of. What is not here is taken over while it lives. */
function connectionOf(row: IntegrationEntity) {
  const { kind, transport, authMode, oauth, hasClientSecret, enabled } = row;
  const names = [row.headerNames, row.envNames, row.userHeaderNames];
  return [kind, transport, authMode, oauth, hasClientSecret, enabled, names];
}

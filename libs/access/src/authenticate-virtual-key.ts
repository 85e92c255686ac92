import { createHash } from 'node:crypto';
import { DEFAULT_ORGANIZATION_ID, PlatformError } from '@switchyard/contracts';
import type { CallerContext } from '@switchyard/contracts';
import type { VirtualKeyRecord } from './records.js';
import type { Snapshot } from './snapshot.js';

/** What a presented key is worth. */
export type VirtualKeyVerdict =
  | { readonly status: 'ok'; readonly caller: CallerContext; readonly key: VirtualKeyRecord }
  | { readonly status: 'unknown' | 'expired' | 'revoked' };

/** Hex SHA-256, as virtual keys are stored. They are 32 random bytes, so a slow hash would protect nothing. */
export function hashVirtualKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/**
 * Judges a virtual key as of `now`. The look-up is by the key's hash, so its time tells nothing about other keys. The
 * caller of a plain key is a `service`; a key that is one user's own calls as that user.
 */
export function authenticateVirtualKey(
  snapshot: Snapshot,
  key: string,
  now: Date | number,
  runKind: CallerContext['runKind'] = 'mcp',
): VirtualKeyVerdict {
  const record = snapshot.virtualKeys.get(hashVirtualKey(key));
  if (!record) return { status: 'unknown' };
  const status = virtualKeyStatus(record, now);
  if (status !== 'ok') return { status };
  const caller = {
    kind: record.userId === null ? ('service' as const) : ('user' as const),
    orgId: record.orgId,
    userId: record.userId,
    virtualKeyId: record.id,
    runKind,
    roles: [],
    hasSubjectToken: false,
  } satisfies CallerContext;
  return { status, caller, key: record };
}

/** Whether a key may still be used: for sessions and streams that outlive the request which opened them. */
export function virtualKeyStatus(key: VirtualKeyRecord, now: Date | number): 'ok' | 'expired' | 'revoked' {
  if (key.revokedAt) return 'revoked';
  return key.expiresAt && key.expiresAt.getTime() <= Number(now) ? 'expired' : 'ok';
}

/**
 * Who calls without a key, where `enforce_auth_on_inference` is off: a caller of the organization `default`. Throws
 * `dependency_unavailable` while the registry has no such organization, that is before it is migrated.
 */
export function anonymousCaller(
  snapshot: Snapshot,
  runKind: CallerContext['runKind'] = 'mcp',
): CallerContext {
  const organization = snapshot.organizations.get(DEFAULT_ORGANIZATION_ID);
  if (!organization) throw new PlatformError('dependency_unavailable');
  const nobody = { userId: null, virtualKeyId: null, roles: [], hasSubjectToken: false };
  return { kind: 'anonymous', orgId: organization.id, ...nobody, runKind };
}

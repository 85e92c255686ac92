import type { AuditEvent } from '@switchyard/contracts';
import type { KeysService } from '../vault/keys.service.js';

/** The chain of what belongs to no organization. */
export const platformChain = '00000000-0000-0000-0000-000000000000';

/** An event at its place in its chain. */
export type ChainedEvent = {
  readonly chain: string;
  readonly sequence: number;
  readonly id: string;
  readonly event: AuditEvent;
  readonly previousHash: Buffer;
  readonly hash: Buffer;
};
/** The last event of a chain. */
export type ChainHead = { readonly sequence: number; readonly hash: Buffer };

/** Before the first event. */
export const emptyHead: ChainHead = { sequence: 0, hash: Buffer.alloc(32) };

export function chainOf(event: AuditEvent): string {
  return event.orgId ?? platformChain;
}

/** The hash of an event: over all of it, its place, and its predecessor's hash. */
export function eventHash(keys: KeysService, chained: Omit<ChainedEvent, 'hash'>): Buffer {
  const { chain, sequence, id, event, previousHash } = chained;
  const { at, action, result, actor, userId, integrationId, callId, authPath, code, details } = event;
  const facts = [at, action, result, actor.kind, actor.id, userId, integrationId, callId, authPath, code];
  const sorted = Object.entries(details).sort(([a], [b]) => (a < b ? -1 : 1));
  return keys.code('audit-chain', [
    'event',
    chain,
    sequence,
    id,
    facts,
    sorted,
    previousHash.toString('hex'),
  ]);
}

/** The seal of a head, without which a chain could be shortened. */
export function headSeal(keys: KeysService, chain: string, { sequence, hash }: ChainHead): Buffer {
  return keys.code('audit-chain', ['head', chain, sequence, hash.toString('hex')]);
}

/** What PostgreSQL can store: no NUL, no half of a surrogate pair, nothing endless. Done before the event is hashed. */
export function storable(event: AuditEvent): AuditEvent {
  const details = Object.entries(event.details).map(([name, value]) => [clean(name), cleanValue(value)]);
  const { id } = event.actor;
  return {
    ...event,
    actor: { kind: event.actor.kind, id: id === null ? null : clean(id) },
    details: Object.fromEntries(details) as AuditEvent['details'],
  };
}

function cleanValue(value: AuditEvent['details'][string]): AuditEvent['details'][string] {
  if (Array.isArray(value)) return value.slice(0, 100).map(clean);
  return typeof value === 'string' ? clean(value) : value;
}

function clean(text: string): string {
  return text.replaceAll('\0', '').toWellFormed().slice(0, 1_024).toWellFormed();
}

import type { DataKeyRow } from './data-keys.repository.js';
import type { MasterKey } from './master-key.js';
import type { MasterKeys } from './master-keys.js';
import { decryptValue, encryptValue } from './value-cipher.js';

/** A data key as it is stored: under one master key, which it names. */
export function wrapDataKey(master: MasterKey, id: string, key: Buffer): Omit<DataKeyRow, 'id' | 'isActive'> {
  return { masterKeyId: master.id, wrapped: encryptValue(master.bytes, key, binding(id, master.id)) };
}

/** Throws when none of the master keys is the one that it was wrapped with. */
export function unwrapDataKey(masters: MasterKeys, row: Omit<DataKeyRow, 'isActive'>): Buffer {
  const master = masters.find(row.masterKeyId);
  if (!master) throw wrongMasterKey(row.masterKeyId, masters.present.id);
  return decryptValue(master.bytes, row.wrapped, binding(row.id, row.masterKeyId));
}

function binding(dataKeyId: string, masterKeyId: string): string[] {
  return ['vault.data_keys', dataKeyId, masterKeyId];
}

function wrongMasterKey(expected: string, given: string): Error {
  return new Error(
    `SWITCHYARD_MASTER_KEY is not the key that the vault was encrypted with: its data keys need master key ${expected}, ` +
      `the given one is ${given}. Start with the former key (SWITCHYARD_FORMER_MASTER_KEYS); stored secrets cannot be ` +
      `read with another.`,
  );
}

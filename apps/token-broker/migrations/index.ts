import { Vault1764000000201 } from './0001-vault.js';

export const migrations = [Vault1764000000201];

import { Vault1764000000201 } from './0001-vault.js';
import { Credentials1764000000202 } from './0002-credentials.js';

export const migrations = [Vault1764000000201, Credentials1764000000202];

import { Vault1764000000201 } from './0001-vault.js';
import { Credentials1764000000202 } from './0002-credentials.js';
import { Audit1764000000203 } from './0003-audit.js';
import { SessionClaims1764000000204 } from './0004-session-claims.js';
import { SecretsOfAgents1764000000205 } from './0005-secrets-of-agents.js';

export const migrations = [
  Vault1764000000201,
  Credentials1764000000202,
  Audit1764000000203,
  SessionClaims1764000000204,
  SecretsOfAgents1764000000205,
];

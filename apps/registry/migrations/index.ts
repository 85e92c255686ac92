import { Registry1764000000101 } from './0001-registry.js';
import { People1764000000102 } from './0002-people.js';
import { Access1764000000103 } from './0003-access.js';
import { Agents1764000000104 } from './0004-agents.js';
import { LocalTools1764000000105 } from './0005-local-tools.js';
import { ConnectionVersion1764000000106 } from './0006-connection-version.js';

/** In the order in which they run. */
export const migrations = [
  Registry1764000000101,
  People1764000000102,
  Access1764000000103,
  Agents1764000000104,
  LocalTools1764000000105,
  ConnectionVersion1764000000106,
];

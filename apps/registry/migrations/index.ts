import { Registry1764000000101 } from './0001-registry.js';

/** In the order in which they run. */
export const migrations = [Registry1764000000101];

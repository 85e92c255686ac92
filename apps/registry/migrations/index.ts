import { Registry1764000000101 } from './0001-registry.js';
import { People1764000000102 } from './0002-people.js';

/** In the order in which they run. */
export const migrations = [Registry1764000000101, People1764000000102];

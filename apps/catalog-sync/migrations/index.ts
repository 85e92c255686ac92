import { Catalog1764000000301 } from './0001-catalog.js';

export const migrations = [Catalog1764000000301];

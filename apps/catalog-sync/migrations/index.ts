import { Catalog1764000000301 } from './0001-catalog.js';
import { Features1764000000302 } from './0002-features.js';

export const migrations = [Catalog1764000000301, Features1764000000302];

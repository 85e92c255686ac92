import { Ledger1795000000001 } from './0001-ledger.js';
import { Methods1795000000002 } from './0002-methods.js';

/** In the order in which they run. */
export const migrations = [Ledger1795000000001, Methods1795000000002];

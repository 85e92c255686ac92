import { Ledger1795000000001 } from './0001-ledger.js';

/** In the order in which they run. */
export const migrations = [Ledger1795000000001];

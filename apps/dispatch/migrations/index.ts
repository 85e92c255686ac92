import { Ledger1795000000001 } from './0001-ledger.js';
import { Methods1795000000002 } from './0002-methods.js';
import { Approvals1795000000003 } from './0003-approvals.js';
import { ChildProcesses1795000000004 } from './0004-child-processes.js';
import { Holders1795000000005 } from './0005-holders.js';

/** In the order in which they run. */
export const migrations = [
  Ledger1795000000001,
  Methods1795000000002,
  Approvals1795000000003,
  ChildProcesses1795000000004,
  Holders1795000000005,
];

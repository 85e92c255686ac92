import { Runs1796000000001 } from './0001-runs.js';
import { Triggers1796000000002 } from './0002-triggers.js';
import { Chat1796000000003 } from './0003-chat.js';
import { CancelledRuns1796000000004 } from './0004-cancelled-runs.js';
import { KeptRuns1796000000005 } from './0005-kept-runs.js';

/** In the order in which they run. */
export const migrations = [
  Runs1796000000001,
  Triggers1796000000002,
  Chat1796000000003,
  CancelledRuns1796000000004,
  KeptRuns1796000000005,
];

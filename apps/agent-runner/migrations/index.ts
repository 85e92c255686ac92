import { Runs1796000000001 } from './0001-runs.js';
import { Triggers1796000000002 } from './0002-triggers.js';

/** In the order in which they run. */
export const migrations = [Runs1796000000001, Triggers1796000000002];

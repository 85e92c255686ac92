import type { Transport } from '@switchyard/contracts';
import type { StdioCommand } from '../stdio/match-stdio.js';

/** Where an upstream is and what it is called with. */
export type UpstreamTarget = {
  integrationId: string;
  transport: Transport;
  /** HTTP headers of the lease. Those that belong to the protocol are ignored. */
  headers: Record<string, string>;
  /** Environment of the lease; only names that `stdioCommand` permits reach the child. */
  env?: Record<string, string>;
  /** What `matchStdio` returned. Without it a stdio transport is refused. */
  stdioCommand?: StdioCommand;
};

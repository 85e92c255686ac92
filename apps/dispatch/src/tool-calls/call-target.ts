import type { ResolvedTool } from '@switchyard/access';
import type { WireTool } from '@switchyard/contracts';

/** What a call is for, as far as all methods have it: a tool, or a prompt or resource, which are only read. */
export type CallTarget = Pick<ResolvedTool, 'integration' | 'safe'> & {
  /** Of a tool alone: its schema may mirror arguments into headers. */
  readonly wire?: WireTool;
};

import { explainMissing, findTool, type ResolvedTool, type Snapshot } from '@switchyard/access';
import { type ErrorInfo, PlatformError } from '@switchyard/contracts';
import type { CallRequest, CallTarget } from './prepared-call.js';

/** What a request reaches, with the arguments as the upstream takes them. */
export type Reached = {
  readonly target: CallTarget;
  readonly arguments: Record<string, unknown>;
  /** The target as a tool: it has a schema to check the arguments by. */
  readonly tool?: ResolvedTool;
};

type Wanted = Pick<CallRequest, 'method' | 'caller' | 'tool' | 'arguments' | 'filter' | 'integrationId'>;

/** Finds what the request names among what its caller has, whatever the method; or says why there is no such thing. */
export function callTarget(snapshot: Snapshot, wanted: Wanted): Reached | ErrorInfo {
  const reached = find(snapshot, wanted);
  if ('code' in reached || wanted.integrationId === undefined) return reached;
  if (reached.target.integration.id === wanted.integrationId) return reached;
  return new PlatformError('invalid_request', {
    message: 'The call would now reach another integration than the one that asked.',
  }).toInfo();
}

function find(snapshot: Snapshot, wanted: Wanted): Reached | ErrorInfo {
  const { caller, tool: name, filter } = wanted;
  switch (wanted.method ?? 'tools/call') {
    case 'tools/call':
      return findToolTarget(snapshot, wanted);
    default:
      return missing();
  }
}

function findToolTarget(
  snapshot: Snapshot,
  { caller, tool: name, filter, arguments: args }: Wanted,
): Reached | ErrorInfo {
  const tool = findTool(snapshot, caller, name, filter);
  if (tool) return { target: tool, tool, arguments: args };
  const reason = explainMissing(snapshot, caller, name);
  const details = reason.code === 'tool_not_found' ? undefined : { integration: reason.slug };
  return new PlatformError(reason.code, { details }).toInfo();
}

function missing(): ErrorInfo {
  return new PlatformError('not_found').toInfo();
}

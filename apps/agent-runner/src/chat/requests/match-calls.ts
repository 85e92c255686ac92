import type { WatchedCall, WatchedRun } from '../../watch/watched-runs.repository.js';
import { isSameJson } from './same-json.js';
import { callIdOf } from '../../calls/run-ids.js';
import type { Decision } from '../decisions.service.js';
import type { ApprovedTool } from './approved-tools.js';
import type { ChatTurn } from './chat-request.js';

/** The decisions of a turn about calls that wait; what names another call decides nothing. */
export function toDecisions(
  turn: Exclude<ChatTurn, { kind: 'message' }>,
  run: WatchedRun,
  waiting: readonly WatchedCall[],
): Decision[] {
  if (turn.kind === 'decisions')
    return turn.decisions.flatMap(({ approvalId, approved, reason, input }) => {
      const call = waiting.find(({ callId }) => callId === approvalId);
      return call
        ? [{ call, approved, reason, shown: input === undefined ? null : JSON.stringify(input) }]
        : [];
    });
  const { approved } = turn;
  return matchCalls(turn.tools, run, waiting).map(({ call, tool }) => ({
    ...{ call, approved, reason: null, shown: tool.arguments },
  }));
}

type Match = { readonly call: WatchedCall; readonly tool: ApprovedTool };

/** Each call at most once: an id names one call, and a name with arguments the first of that tool that was asked with them. */
function matchCalls(
  tools: readonly ApprovedTool[],
  run: WatchedRun,
  waiting: readonly WatchedCall[],
): Match[] {
  const left = new Set(waiting);
  const byId = [...tools].sort((a, b) => Number(a.id === null) - Number(b.id === null));
  return byId.flatMap((tool) => {
    const call = [...left].find((one) => isMeant(tool, run, one));
    if (!call) return [];
    left.delete(call);
    return [{ call, tool }];
  });
}

function isMeant({ id, name, arguments: args }: ApprovedTool, run: WatchedRun, call: WatchedCall): boolean {
  if (name !== null && name !== call.outwardName) return false;
  if (id === null) return args !== null && isSameJson(args, JSON.stringify(call.asked.arguments));
  return id === call.callId || id === toolCallIdOf(run, call);
}

/** The id by which clients know a call, whatever attempt of it there is. */
export function toolCallIdOf(run: WatchedRun, { step, position, asked }: WatchedCall): string {
  return callIdOf(run, { step, position, modelCallId: asked.id, attempt: 0 });
}

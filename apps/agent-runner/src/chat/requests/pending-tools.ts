import type { RunPlan } from '../../runs/run-data.js';
import type { WatchedRun } from '../../watch/watched-runs.repository.js';
import { toolCallIdOf } from './match-calls.js';

/** A call that waits for approval, in the form of 001. */
export type PendingTool = {
  readonly client_name: string;
  readonly tool: {
    readonly type: 'function';
    readonly function: { readonly name: string; readonly description: string; readonly parameters: unknown };
  };
  readonly tool_call: {
    readonly id: string;
    readonly type: 'function';
    readonly function: { readonly name: string; readonly arguments: string };
  };
  readonly approval_id: string;
};

/** What the run waits for, as its client sends it back to approve of it. */
export function pendingTools(run: WatchedRun, plan: RunPlan | null): PendingTool[] {
  return run.calls
    .filter(({ state }) => state === 'waiting_approval')
    .map((call) => {
      const tool = plan?.tools.find(({ outwardName }) => outwardName === call.outwardName);
      const name = call.outwardName ?? call.asked.name;
      const { description = '', inputSchema = {} } = tool?.wire ?? {};
      const args = JSON.stringify(call.asked.arguments);
      return {
        client_name: tool?.integrationSlug ?? '',
        tool: { type: 'function', function: { name, description, parameters: inputSchema } },
        tool_call: { id: toolCallIdOf(run, call), type: 'function', function: { name, arguments: args } },
        approval_id: call.callId,
      };
    });
}

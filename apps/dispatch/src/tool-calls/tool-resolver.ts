import { createHash } from 'node:crypto';
import {
  explainMissing,
  findTool,
  virtualKeyStatus,
  type ResolvedTool,
  type Snapshot,
} from '@switchyard/access';
import type { AuthPath, ErrorCode, ToolCall } from '@switchyard/contracts';

export type Resolution = { status: 'found'; resolved: ResolvedTool } | { status: 'missing'; error: Missing };

type Missing = { code: ErrorCode; message?: string; authPath?: AuthPath | null };

/** Asks the rules again when the call is taken: what was allowed when it was accepted may be revoked by now. */
export class ToolResolver {
  constructor(
    private readonly snapshot: () => Snapshot,
    private readonly now: () => number = Date.now,
    /** Brings the snapshot up to date. */
    private readonly refresh: () => Promise<void> = () => Promise.resolve(),
  ) {}

  /** The accepting face may have heard of a new key or tool before this worker: a call is not refused by old news. */
  async resolveAnew(call: ToolCall): Promise<Resolution> {
    const resolution = this.resolve(call);
    if (resolution.status === 'found') return resolution;
    await this.refresh();
    return this.resolve(call);
  }

  resolve(call: ToolCall): Resolution {
    const snapshot = this.snapshot();
    if (!this.isCallerAlive(call))
      return {
        status: 'missing',
        error: call.caller.virtualKeyId === null ? { code: 'user_inactive' } : revoked,
      };
    const resolved = findTool(snapshot, call.caller, call.outwardName);
    if (!resolved) return { status: 'missing', error: missing(snapshot, call) };
    // The name may mean another tool by now, and the arguments were checked against the first one's schema.
    if (resolved.integration.id !== call.integrationId || resolved.tool.name !== call.tool)
      return { status: 'missing', error: { code: 'tool_not_found' } };
    return { status: 'found', resolved };
  }

  private isCallerAlive({ caller }: ToolCall): boolean {
    if (caller.userId !== null && this.snapshot().inactiveUsers.has(caller.userId)) return false;
    if (caller.virtualKeyId === null) return true;
    const key = this.snapshot().virtualKeysById.get(caller.virtualKeyId);
    return key !== undefined && virtualKeyStatus(key, this.now()) === 'ok';
  }
}

function missing(snapshot: Snapshot, call: ToolCall): Missing {
  const reason = explainMissing(snapshot, call.caller, call.outwardName);
  if (reason.code === 'tool_not_found') return { code: 'tool_not_found' };
  const authPath = reason.code === 'auth_context_unavailable' ? reason.code : null;
  return { code: reason.code, message: `Integration: ${reason.slug}.`, authPath };
}

const revoked = { code: 'key_revoked', message: 'It was revoked or expired while the call waited.' } as const;

/** Whether the arguments are those whose digest the seal covers. */
export function hasSealedArguments(call: ToolCall, args: Record<string, unknown>): boolean {
  return createHash('sha256').update(JSON.stringify(args)).digest('hex') === call.argumentsSha256;
}

import { createHash } from 'node:crypto';
import {
  explainMissing,
  findPrompt,
  findResource,
  findResourceTemplate,
  findTool,
  virtualKeyStatus,
  type IntegrationRecord,
  type Snapshot,
} from '@switchyard/access';
import type { AuthPath, CallResume, ErrorCode, ToolCall } from '@switchyard/contracts';
import { canonicalJson } from '@switchyard/queue';
import type { CallTarget } from './call-target.js';

export type Resolution = { status: 'found'; resolved: CallTarget } | { status: 'missing'; error: Missing };

type Missing = { code: ErrorCode; message?: string; authPath?: AuthPath | null };

/** Asks the rules again when the call is taken: what was allowed when it was accepted may be revoked by now. */
export class ToolResolver {
  constructor(
    private readonly snapshot: () => Snapshot,
    private readonly now: () => number = Date.now,
    /** Brings the snapshot up to date. */
    private readonly refresh: () => Promise<void> = () => Promise.resolve(),
    private readonly isGrantRevoked: (grantId: string) => boolean = () => false,
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
    const error = this.callerIsGone(call);
    if (error) return { status: 'missing', error };
    return (call.method ?? 'tools/call') === 'tools/call'
      ? resolveTool(snapshot, call)
      : resolveRead(snapshot, call);
  }

  /** Why nobody may call for this caller any more. */
  private callerIsGone({ caller }: ToolCall): Missing | undefined {
    const { userId, virtualKeyId, oauthGrantId } = caller;
    if (oauthGrantId !== undefined && this.isGrantRevoked(oauthGrantId)) return grantRevoked;
    const isInactive = userId !== null && this.snapshot().inactiveUsers.has(userId);
    if (virtualKeyId === null) return isInactive ? { code: 'user_inactive' } : undefined;
    const key = this.snapshot().virtualKeysById.get(virtualKeyId);
    const isUsable = !isInactive && key !== undefined && virtualKeyStatus(key, this.now()) === 'ok';
    return isUsable ? undefined : revoked;
  }
}

function resolveTool(snapshot: Snapshot, call: ToolCall): Resolution {
  const found = findTool(snapshot, call.caller, call.outwardName);
  if (!found) return { status: 'missing', error: missing(snapshot, call) };
  // The name may mean another tool by now, and the arguments were checked against the first one's schema.
  if (found.integration.id !== call.integrationId || found.tool.name !== call.tool)
    return { status: 'missing', error: { code: 'tool_not_found' } };
  const { integration, safe } = found;
  return { status: 'found', resolved: { integration, safe, wire: found.tool.wire } };
}

/** Whatever a call of another method names: a prompt, a resource, a template. They are only read. */
function resolveRead(snapshot: Snapshot, call: ToolCall): Resolution {
  const found = readable(snapshot, call).find(
    ({ integration, own }) => integration.id === call.integrationId && own === call.tool,
  );
  if (!found) return { status: 'missing', error: { code: 'not_found' } };
  return { status: 'found', resolved: { integration: found.integration, safe: true } };
}

type Named = { integration: IntegrationRecord; own: string };

function readable(snapshot: Snapshot, { method, caller, outwardName: name }: ToolCall): Named[] {
  const prompt = method === 'resources/read' ? undefined : findPrompt(snapshot, caller, name);
  const resource = method === 'prompts/get' ? undefined : findResource(snapshot, caller, name);
  const isCompleted = method === 'completion/complete';
  const template = isCompleted ? findResourceTemplate(snapshot, caller, name) : undefined;
  return [
    ...(prompt ? [{ integration: prompt.integration, own: prompt.prompt.name }] : []),
    ...(template ? [{ integration: template.integration, own: template.uriTemplate }] : []),
    ...(resource ? [{ integration: resource.integration, own: resource.uri }] : []),
  ];
}

function missing(snapshot: Snapshot, call: ToolCall): Missing {
  const reason = explainMissing(snapshot, call.caller, call.outwardName);
  if (reason.code === 'tool_not_found') return { code: 'tool_not_found' };
  const authPath = reason.code === 'auth_context_unavailable' ? reason.code : null;
  return { code: reason.code, message: `Integration: ${reason.slug}.`, authPath };
}

const revoked = { code: 'key_revoked', message: 'It was revoked or expired while the call waited.' } as const;

const grantRevoked = {
  code: 'unauthenticated',
  message: 'What the user allowed the client was taken back while the call waited.',
} as const;

/** Whether the arguments are those whose digest the seal covers. */
export function hasSealedArguments(call: ToolCall, args: Record<string, unknown>): boolean {
  return createHash('sha256').update(JSON.stringify(args)).digest('hex') === call.argumentsSha256;
}

/** Whether the client's answers are those whose digest the seal covers, or there are none on both sides. */
export function hasSealedResume(call: ToolCall, resume: CallResume | undefined): boolean {
  if (resume === undefined) return call.resumeSha256 === undefined;
  return createHash('sha256').update(canonicalJson(resume)).digest('hex') === call.resumeSha256;
}

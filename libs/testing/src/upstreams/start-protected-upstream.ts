import { freePort } from '../stores/private-stores.js';
import { BearerGuard, type Caller, type GuardOptions } from './bearer-guard.js';
import { defineTool, textResult, type FixtureTool, type ToolRun } from './fixture-tool.js';
import { startFixtureUpstream, type FixtureOptions, type FixtureUpstream } from './start-fixture-upstream.js';

export type ProtectedOptions = Pick<FixtureOptions, 'port' | 'era' | 'callsFile' | 'name' | 'responses'> &
  Partial<GuardOptions> & { issuer: string };

/** A call of a tool, and who made it. */
export type SeenCall = Caller & { tool: string };

export type ProtectedUpstream = FixtureUpstream & {
  resource: string;
  /** Who called what, in order. */
  seen: SeenCall[];
  /** May be changed while it runs: another issuer is what a vendor has that moved. */
  guard: GuardOptions;
  /** Answers 401 to every token that came so far. */
  revokeSeenTokens: () => void;
};

/**
 * A real MCP server of both eras that takes nobody without a token: JWTs of the issuer, for its own audience, not expired,
 * with the scopes that each tool needs. Tools: `whoami`, `add_note`, `list_notes` (of the caller), `admin_only`.
 */
export async function startProtectedUpstream(options: ProtectedOptions): Promise<ProtectedUpstream> {
  const port = options.port || (await freePort());
  const origin = `http://127.0.0.1:${port}`;
  const guard = new BearerGuard({ ...guardOptions(options, origin) }, origin);
  const seen: SeenCall[] = [];
  const { era, callsFile, responses, name = 'protected-upstream' } = options;
  const upstream = await startFixtureUpstream({
    port,
    era,
    callsFile,
    responses,
    name,
    tools: protectedTools(seen),
    guard: (req, res, body) => guard.admits(req, res, body),
  });
  return Object.assign(upstream, {
    resource: guard.options.resource,
    seen,
    guard: guard.options,
    revokeSeenTokens: () => guard.revokeSeenTokens(),
  });
}

function guardOptions(options: ProtectedOptions, origin: string): GuardOptions {
  return {
    issuer: options.issuer,
    resource: options.resource ?? `${origin}/mcp`,
    requiredScopes: options.requiredScopes ?? [],
    scopesSupported: options.scopesSupported ?? ['notes:read', 'notes:write'],
    toolScopes: options.toolScopes ?? { admin_only: ['admin'] },
    hasMetadata: options.hasMetadata ?? true,
  };
}

function protectedTools(seen: SeenCall[]): FixtureTool[] {
  const notes = new Map<string, string[]>();
  const notesOf = (caller: Caller) => notes.get(caller.sub) ?? [];
  const tool = (
    name: string,
    wire: Parameters<typeof defineTool>[1],
    run: (caller: Caller, call: ToolRun) => unknown,
  ) =>
    defineTool(name, wire, (call) => {
      const caller = call.ctx.http?.authInfo?.extra as Caller;
      seen.push({ ...caller, tool: name });
      call.log.add(name, call.args);
      const result = run(caller, call);
      return { ...textResult(JSON.stringify(result)), structuredContent: result as Record<string, unknown> };
    });
  const readOnly = { annotations: { readOnlyHint: true } };
  return [
    tool('whoami', readOnly, (caller) => caller),
    tool('add_note', { properties: { text: { type: 'string' } }, required: ['text'] }, (caller, { args }) => {
      notes.set(caller.sub, [...notesOf(caller), String(args['text'])]);
      return { count: notesOf(caller).length };
    }),
    tool('list_notes', readOnly, (caller) => ({ notes: notesOf(caller) })),
    tool('admin_only', readOnly, (caller) => ({ admin: caller.sub })),
  ];
}

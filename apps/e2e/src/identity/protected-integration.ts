import {
  eventually,
  startAuthorizationServer,
  startProtectedUpstream,
  type ProtectedUpstream,
  type TestAuthorizationServer,
} from '@switchyard/testing';
import type { Integration } from '../harness/admin-api.js';
import { callTool, errorOf, type ErrorBody } from '../harness/mcp-rpc.js';
import { ToolCallsApi } from '../harness/tool-calls-api.js';
import type { Switchyard } from '../harness/switchyard.js';

/** Whom the upstream saw. */
export type Whoami = { readonly sub: string; readonly aud: string | string[]; readonly client_id?: string };

/** An MCP server that takes nobody without a token, the vendor's authorization server, and both registered with us. */
export type ProtectedIntegration = {
  readonly slug: string;
  readonly vendor: TestAuthorizationServer;
  readonly upstream: ProtectedUpstream;
  readonly integration: Integration;
};

export type ProtectedOptions = {
  /** Of the integration, once the upstream is known. */
  fields?: (upstream: ProtectedUpstream) => Record<string, unknown>;
  vendor?: Parameters<typeof startAuthorizationServer>[0];
};

/** Starts vendor and server, registers the server once, and does not wait: some need a consent first. */
export async function protectIntegration(
  switchyard: Switchyard,
  slug: string,
  undo: (step: () => Promise<unknown>) => void,
  { fields = () => ({}), vendor: vendorOptions = {} }: ProtectedOptions = {},
): Promise<ProtectedIntegration> {
  const vendor = await startAuthorizationServer(vendorOptions);
  undo(() => vendor.close());
  const upstream = await startProtectedUpstream({ issuer: vendor.issuer });
  undo(() => upstream.close());
  await openToUsers(switchyard, slug, undo);
  const settings = { auth_mode: 'authorization_code', ...fields(upstream) };
  const integration = await switchyard.admin.register(slug, upstream.url, settings);
  undo(() => switchyard.admin.send('DELETE', `/api/integrations/${integration.id}`));
  return { slug, vendor, upstream, integration };
}

/** A policy by which every signed-in user may call all tools of the integration. */
export async function openToUsers(
  { admin }: Switchyard,
  slug: string,
  undo: (step: () => Promise<unknown>) => void,
): Promise<void> {
  const configs = [{ mcp_client_name: slug, tools_to_execute: ['*'] }];
  const { id } = await admin.must<{ id: string }>('POST', '/api/policies', {
    ...{ name: `everybody: ${slug}`, roles: null, mcp_configs: configs },
  });
  undo(() => admin.send('DELETE', `/api/policies/${id}`));
}

/** One call of `whoami` by `/mcp`: whom the upstream saw, or why nobody. */
export async function whoami(
  { mcpUrl }: Switchyard,
  credential: string,
  slug: string,
): Promise<Whoami | ErrorBody | { refused: string }> {
  const { body, text, status } = await callTool(mcpUrl, credential, { name: `${slug}_whoami` });
  if (body?.error) return { refused: body.error.message };
  if (!body?.result) throw new Error(`${status} ${text}`);
  return errorOf(body.result) ?? (body.result.structuredContent as unknown as Whoami);
}

export type Traced = {
  readonly status: string;
  readonly auth_path: string | null;
  readonly error?: { code: string } | null;
};

/** The same by the async API, with the path that the ledger has. */
export async function asyncWhoami(
  switchyard: Switchyard,
  credential: string,
  slug: string,
): Promise<Traced & { readonly sub?: string }> {
  const calls = new ToolCallsApi(switchyard.origin, credential);
  const answer = await calls.send(`${slug}_whoami`, {});
  if (answer.status !== 202)
    return { status: 'refused', auth_path: null, error: { code: answer.body.code ?? '' } };
  const call = (await calls.untilEnded(answer.body.call_id)) as unknown as Traced & {
    result?: { structuredContent?: Whoami };
  };
  return { ...call, sub: call.result?.structuredContent?.sub };
}

/** Waits until the caller sees the tool. */
export async function untilListed(
  list: () => Promise<string[]>,
  name: string,
  isThere = true,
): Promise<void> {
  await eventually(async () => (await list()).includes(name) === isThere, { timeoutMs: 15_000 });
}

import { z } from 'zod';
import { ErrorInfo } from './errors.js';
import { LocalCaller } from './local-tools.js';
import { CallResume, ClientSide, ToolResult, UpstreamMethod } from './tool-calls.js';

/** How an upstream MCP server is reached. */
export const Transport = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('http'), url: z.url() }),
  z.strictObject({ type: z.literal('sse'), url: z.url() }),
  /** `command` names an entry of the operators' allow-list, or equals its absolute command (`StdioAllowlist`). */
  z.strictObject({
    type: z.literal('stdio'),
    command: z.string().min(1),
    args: z.array(z.string()).default([]),
  }),
]);
export type Transport = z.infer<typeof Transport>;

/**
 * An operator's permission to start one command. Extra arguments of an integration must each match
 * `argument_pattern` as a whole; environment variables must be named. Only organizations that are listed (by slug,
 * `*` for all) may use it.
 */
export const StdioAllowlistEntry = z.strictObject({
  name: z.string().min(1),
  command: z.string().startsWith('/'),
  args: z.array(z.string()).default([]),
  argument_pattern: z.string().optional(),
  env: z.array(z.string()).default([]),
  organizations: z.array(z.string()).default(['default']),
});
export type StdioAllowlistEntry = z.infer<typeof StdioAllowlistEntry>;
export const StdioAllowlist = z.array(StdioAllowlistEntry);
export type StdioAllowlist = z.infer<typeof StdioAllowlist>;

/** A tool's wire object as the upstream listed it (MCP 2026-07-28, server/tools): passed on unchanged but for its name. */
export const WireTool = z.looseObject({
  name: z.string().min(1),
  title: z.string().optional(),
  description: z.string().optional(),
  inputSchema: z.looseObject({}),
  outputSchema: z.looseObject({}).optional(),
  annotations: z
    .looseObject({
      readOnlyHint: z.boolean().optional(),
      idempotentHint: z.boolean().optional(),
      destructiveHint: z.boolean().optional(),
    })
    .optional(),
});
export type WireTool = z.infer<typeof WireTool>;

/** A prompt, resource or resource template as the upstream listed it; only its name is checked. */
export const WirePrompt = z.looseObject({ name: z.string().min(1) });
export type WirePrompt = z.infer<typeof WirePrompt>;
export const WireResource = z.looseObject({ uri: z.string().min(1), name: z.string() });
export type WireResource = z.infer<typeof WireResource>;
export const WireResourceTemplate = z.looseObject({ uriTemplate: z.string().min(1), name: z.string() });
export type WireResourceTemplate = z.infer<typeof WireResourceTemplate>;

/** What an upstream listed besides tools; null: that list failed, for the reason among `problems`. */
export const UpstreamFeatures = z.strictObject({
  prompts: z.array(WirePrompt).nullable(),
  resources: z.array(WireResource).nullable(),
  templates: z.array(WireResourceTemplate).nullable(),
  problems: z.array(z.string().max(512)),
});
export type UpstreamFeatures = z.infer<typeof UpstreamFeatures>;

/** What is known of an upstream after a list. */
export const UpstreamDescription = z.strictObject({
  era: z.enum(['legacy', 'modern']),
  protocolVersion: z.string(),
  serverName: z.string().nullable(),
  serverVersion: z.string().nullable(),
  instructions: z.string().nullable(),
  /** The server's capabilities as it declared them. */
  capabilities: z.record(z.string(), z.unknown()).optional(),
});
export type UpstreamDescription = z.infer<typeof UpstreamDescription>;

/**
 * How far a failed request came (`architecture.md`, "Retries").
 * `not_sent`: the upstream did not act on it, every tool may be retried.
 * `sent_no_answer`: nobody knows, only safe tools may be retried.
 * `answered`: the upstream answered with a refusal or an error; a retry changes nothing.
 */
export const FailureClass = z.enum(['not_sent', 'sent_no_answer', 'answered']);
export type FailureClass = z.infer<typeof FailureClass>;

export const UpstreamFailure = z.strictObject({ failureClass: FailureClass, error: ErrorInfo });
export type UpstreamFailure = z.infer<typeof UpstreamFailure>;

/** The payload of `stdio-<integration id>`: what the owner of the child does for the rest of the fleet. */
export const StdioRequest = z.discriminatedUnion('op', [
  z.strictObject({
    v: z.literal(1),
    op: z.literal('call'),
    callId: z.uuid(),
    method: UpstreamMethod.optional(),
    tool: z.string(),
    arguments: z.record(z.string(), z.unknown()),
    meta: z.record(z.string(), z.unknown()).optional(),
    progress: z.boolean(),
    safe: z.boolean(),
    deadlineAt: z.number().int(),
    client: ClientSide.optional(),
    /** Epoch milliseconds until which the child may take its time; what questions take is added. */
    activeUntil: z.number().int().optional(),
    resume: CallResume.optional(),
    /** Only to an integration of kind `local`. */
    caller: LocalCaller.optional(),
  }),
  z.strictObject({ v: z.literal(1), op: z.literal('list'), timeoutMs: z.number().int() }),
  z.strictObject({ v: z.literal(1), op: z.literal('ping'), timeoutMs: z.number().int() }),
  /** Ends the child and starts a new one. */
  z.strictObject({ v: z.literal(1), op: z.literal('restart') }),
]);
export type StdioRequest = z.infer<typeof StdioRequest>;

export const StdioAnswer = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('called'), result: ToolResult }),
  z.strictObject({
    status: z.literal('listed'),
    tools: z.array(WireTool),
    upstream: UpstreamDescription,
    features: UpstreamFeatures.optional(),
  }),
  z.strictObject({ status: z.literal('alive') }),
  z.strictObject({ status: z.literal('failed'), failure: UpstreamFailure }),
]);
export type StdioAnswer = z.infer<typeof StdioAnswer>;

/** The states of an integration (`architecture.md`, "Public HTTP surface"). */
export const IntegrationState = z.enum([
  'connecting',
  'connected',
  'unstable',
  'disconnected',
  'needs_reauth',
  'disabled',
]);
export type IntegrationState = z.infer<typeof IntegrationState>;

/** Why an integration does not work, as its admin sees it. */
export const LastFailure = z.strictObject({
  stage: z.enum(['connect', 'list', 'ping', 'lease', 'call']),
  code: z.string(),
  message: z.string().max(512),
  /** RFC 3339; `since` is when the present run of failures began. */
  at: z.string(),
  since: z.string(),
});
export type LastFailure = z.infer<typeof LastFailure>;

export const CatalogSyncJob = z.strictObject({
  v: z.literal(1),
  orgId: z.uuid(),
  integrationId: z.uuid(),
  reason: z.enum(['connect', 'interval', 'list_changed', 'config_edit', 'manual', 'reconnect', 'credential']),
});
export type CatalogSyncJob = z.infer<typeof CatalogSyncJob>;

export const CatalogSyncOutcome = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('synced'), toolCount: z.number().int(), changed: z.boolean() }),
  z.strictObject({ status: z.literal('skipped'), why: z.string() }),
  z.strictObject({ status: z.literal('failed'), failure: LastFailure }),
]);
export type CatalogSyncOutcome = z.infer<typeof CatalogSyncOutcome>;

export const ToolApproval = z.strictObject({
  v: z.literal(1),
  orgId: z.uuid(),
  integrationId: z.uuid(),
  /** By the upstream's names, each with the digest of the wire object that the admin saw; null: all as they are now. */
  tools: z.array(z.strictObject({ name: z.string(), wireSha256: z.string().length(64) })).nullable(),
});
export type ToolApproval = z.infer<typeof ToolApproval>;

export const ToolApprovalAnswer = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('approved'), count: z.number().int() }),
  /** One of them changed since the admin looked, or is gone: nothing was approved. */
  z.strictObject({ status: z.literal('changed'), tools: z.array(z.string()) }),
]);
export type ToolApprovalAnswer = z.infer<typeof ToolApprovalAnswer>;

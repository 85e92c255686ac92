import {
  explainMissing,
  findPrompt,
  findResource,
  findResourceTemplate,
  findTool,
  type IntegrationRecord,
  type ResolvedTool,
  type Snapshot,
} from '@switchyard/access';
import { type ErrorInfo, PlatformError } from '@switchyard/contracts';
import { z } from 'zod';
import type { CallRequest, CallTarget } from './prepared-call.js';

/** What a request reaches, with the arguments as the upstream takes them. */
export type Reached = {
  readonly target: CallTarget;
  readonly arguments: Record<string, unknown>;
  /** The target as a tool: it has a schema to check the arguments by. */
  readonly tool?: ResolvedTool;
};

/** Of `completion/complete`, in the caller's names. */
const Reference = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('ref/prompt'), name: z.string() }),
  z.looseObject({ type: z.literal('ref/resource'), uri: z.string() }),
]);

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
    case 'prompts/get': {
      const prompt = findPrompt(snapshot, caller, name, filter);
      if (!prompt) return missing();
      return {
        target: readTarget(prompt.integration, name, prompt.prompt.name),
        arguments: wanted.arguments,
      };
    }
    case 'resources/read': {
      const resource = findResource(snapshot, caller, name, filter);
      if (!resource) return missing();
      return { target: readTarget(resource.integration, name, resource.uri), arguments: {} };
    }
    case 'completion/complete':
      return findReferenced(snapshot, wanted);
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

/** What is completed is an argument of a prompt, or a variable of a template. */
function findReferenced(
  snapshot: Snapshot,
  { caller, filter, arguments: args }: Wanted,
): Reached | ErrorInfo {
  const parsed = Reference.safeParse(args['ref']);
  if (!parsed.success) return missing();
  const ref = parsed.data;
  if (ref.type === 'ref/prompt') {
    const prompt = findPrompt(snapshot, caller, ref.name, filter);
    if (!prompt) return missing();
    const own = { ...ref, name: prompt.prompt.name };
    const target = readTarget(prompt.integration, ref.name, own.name);
    return { target, arguments: { ...args, ref: own } };
  }
  const found =
    findResourceTemplate(snapshot, caller, ref.uri, filter) ??
    findResource(snapshot, caller, ref.uri, filter);
  if (!found) return missing();
  const uri = 'uri' in found ? found.uri : found.uriTemplate;
  return {
    target: readTarget(found.integration, ref.uri, uri),
    arguments: { ...args, ref: { ...ref, uri } },
  };
}

/** Such calls only read, so they may be made twice. */
function readTarget(integration: IntegrationRecord, outwardName: string, name: string): CallTarget {
  const { deadlineMs } = integration;
  return { integration, outwardName, tool: { name }, wire: {}, safe: true, deadlineMs };
}

function missing(): ErrorInfo {
  return new PlatformError('not_found').toInfo();
}

import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernHttp,
} from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { bearer } from '../harness/mcp-rpc.js';

export type Era = 'legacy' | 'modern';
/** What an upstream asked, or told. */
export type Heard = { readonly method: string; readonly params: any };

/** An official client of either era that lets servers ask it, and remembers what it heard. */
export type AskingClient = {
  /** The two SDKs' methods have the same names and take the same first argument. */
  readonly client: any;
  readonly name: string;
  readonly heard: Heard[];
};

type Place = { readonly urls: readonly string[]; readonly key: string; readonly canBeAsked?: boolean };

const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const questions = [
  ['elicitation/create', ElicitRequestSchema],
  ['sampling/createMessage', CreateMessageRequestSchema],
  ['roots/list', ListRootsRequestSchema],
] as const;
const news = [
  ['notifications/message', LoggingMessageNotificationSchema],
  ['notifications/resources/updated', ResourceUpdatedNotificationSchema],
] as const;

/** Connects at the first of the replicas; answers and retries go to the last. */
export async function askingClient(
  era: Era,
  name: string,
  { urls, key, canBeAsked = true }: Place,
): Promise<AskingClient> {
  const heard: Heard[] = [];
  const answer = ({ method, params }: Heard): any => {
    heard.push({ method, params });
    return answerOf(method, name);
  };
  const transport = { requestInit: { headers: bearer(key) }, fetch: spread(urls.at(-1) ?? '') };
  const options = { capabilities: canBeAsked ? capabilities : {} };
  const info = { name, version: '1' };
  const url = new URL(urls[0] ?? '');
  if (era === 'legacy') {
    const client = new LegacyClient(info, options);
    if (canBeAsked)
      for (const [, schema] of questions) client.setRequestHandler(schema as never, answer as never);
    for (const [, schema] of news)
      client.setNotificationHandler(schema as never, (told: never) => void heard.push(told));
    await client.connect(new LegacyHttp(url, transport));
    return { client, name, heard };
  }
  const client = new ModernClient(info, { ...options, versionNegotiation: { mode: 'auto' } });
  if (canBeAsked) for (const [method] of questions) client.setRequestHandler(method, answer as never);
  for (const [method] of news) client.setNotificationHandler(method, (told) => void heard.push(told));
  await client.connect(new ModernHttp(url, transport));
  return { client, name, heard };
}

/** What each client answers to each question: its own name. */
export function answerOf(method: string, name: string): Record<string, unknown> {
  switch (method) {
    case 'sampling/createMessage':
      return { role: 'assistant', content: { type: 'text', text: name }, model: name, stopReason: 'endTurn' };
    case 'roots/list':
      return { roots: [{ uri: `file:///${name}` }] };
    default:
      return { action: 'accept', content: { name } };
  }
}

function spread(last: string): typeof fetch {
  return (url, init) => {
    const { method, params } = JSON.parse(String(init?.body ?? '{}'));
    const isFurther = init?.method === 'POST' && (!method || params?.requestState !== undefined);
    return fetch(isFurther ? last : url, init);
  };
}

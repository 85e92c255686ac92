import type { Model } from './config.ts';
import type { CallAnswer, Switchyard, Tool } from './switchyard.ts';

/** What the page shows of an answer. `connect` is a link for the user, where a tool waits for their consent. */
export type Reply = { readonly text: string; readonly connect: readonly { name: string; url: string }[] };

type ToolCall = {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
};
type Message = {
  readonly role: string;
  readonly content: string | null;
  readonly tool_calls?: readonly ToolCall[];
};

const mostRounds = 8;
const modelTimeoutMs = 60_000;

/** Answers a message: by the model, if there is one, else by a plain rule, which says what it is. */
export function reply(
  model: Model | undefined,
  switchyard: Switchyard,
  conversation: { readonly messages: object[]; readonly text: string },
): Promise<Reply> {
  return model ? byModel(model, switchyard, conversation) : byRule(switchyard, conversation.text);
}

/** No model: `/tools` lists, `/tool <name> {json}` calls. */
async function byRule(switchyard: Switchyard, text: string): Promise<Reply> {
  if (text.trim() === '/tools')
    return said((await switchyard.tools()).map(({ function: { name } }) => name).join('\n'));
  const [, name, json] = /^\/tool\s+(\S+)\s*(\{.*\})?\s*$/s.exec(text.trim()) ?? [];
  if (!name)
    return said(
      'No model is connected (MODEL_URL), so this is a plain rule: /tools, or /tool name {"argument": 1}',
    );
  const args = parsed(json ?? '{}');
  if (args === undefined) return said('The arguments are not valid JSON.');
  const answer = await switchyard.call(name, args);
  return { text: inWords(answer), connect: connectOf(answer) };
}

/** The loop that every chat backend has: the model asks for tools, Switchyard calls them as the user. */
async function byModel(
  model: Model,
  switchyard: Switchyard,
  { messages, text }: { messages: object[]; text: string },
): Promise<Reply> {
  const tools = await switchyard.tools();
  messages.push({ role: 'user', content: text });
  const connect: { name: string; url: string }[] = [];
  for (let round = 0; round < mostRounds; round++) {
    const message = await complete(model, messages, tools);
    messages.push(message);
    if (!message.tool_calls?.length) return { text: message.content ?? '', connect };
    for (const { id, function: wanted } of message.tool_calls) {
      const args = parsed(wanted.arguments || '{}');
      const answer = args === undefined ? undefined : await switchyard.call(wanted.name, args);
      if (answer) connect.push(...connectOf(answer));
      const content = answer ? inWords(answer) : 'The arguments are not valid JSON.';
      messages.push({ role: 'tool', tool_call_id: id, content });
    }
  }
  return { text: `The model still asked for tools after ${mostRounds} rounds.`, connect };
}

/** One completion of an OpenAI-compatible API. */
async function complete(model: Model, messages: object[], tools: readonly Tool[]): Promise<Message> {
  const answer = await fetch(`${model.url.replace(/\/$/, '')}/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(model.apiKey && { authorization: `Bearer ${model.apiKey}` }),
    },
    body: JSON.stringify({ model: model.name, messages, ...(tools.length > 0 && { tools }) }),
    signal: AbortSignal.timeout(modelTimeoutMs),
  });
  if (!answer.ok) throw new Error(`The model answered ${answer.status}.`);
  const { choices } = (await answer.json()) as { choices: { message: Message }[] };
  const [first] = choices;
  if (!first) throw new Error('The model answered nothing.');
  return first.message;
}

function inWords({ error, result }: CallAnswer): string {
  if (error) return `${error.code}: ${error.message} ${error.next}`;
  return (result?.content ?? []).map((part) => part.text ?? `[${part.type}]`).join('\n');
}

function connectOf({ error }: CallAnswer): { name: string; url: string }[] {
  const { reauth_url: url, integration } = error?.details ?? {};
  return url && /^https?:/.test(url) ? [{ name: integration ?? 'the integration', url }] : [];
}

function said(text: string): Reply {
  return { text, connect: [] };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

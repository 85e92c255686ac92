/**
 * An MCP server over stdio for tests: `node stdio-fixture.ts [--exit-on-probe] [--ignore-probe] [--ignore-end]`.
 * Written by hand, without the SDK, so that it can misbehave: exit on requests of the new era or not answer them,
 * ignore the end of its stdin and SIGTERM, leave a grandchild behind, print lines without end.
 */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

type Message = {
  id?: number | string;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: unknown;
};
type Args = Record<string, unknown>;

const flags = new Set(process.argv.slice(2));

const tools: Record<string, (args: Args, id: Message['id']) => unknown> = {
  echo: ({ message }) => text(`Echo: ${String(message)}`),
  pid: () => text(String(process.pid)),
  env: () => text(JSON.stringify(process.env)),
  cwd: () => text(process.cwd()),
  hang: () => undefined,
  exit: () => process.exit(3),
  stderr: ({ message }) => {
    process.stderr.write(`${String(message)}\n`);
    return text('Written');
  },
  'append-file': ({ path, line }) => {
    appendFileSync(String(path), `${String(line)}\n`);
    return text('Appended');
  },
  /** Says that it began, and never answers, whatever becomes of its caller. */
  linger: (_, id) => {
    send({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: tokens.get(id), progress: 1 },
    });
  },
  /** Asks the client, and answers with what it was told. */
  ask: ({ message }, id) => {
    const question = `question-${String(id)}`;
    asking.set(question, id);
    const requestedSchema = { type: 'object', properties: { name: { type: 'string' } } };
    send({
      jsonrpc: '2.0',
      id: question,
      method: 'elicitation/create',
      params: { message, requestedSchema },
    });
  },
  touch: ({ uri }) => {
    if (subscribed.has(uri))
      send({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } });
    return text('Touched');
  },
  /** A process that nobody waits for, that ignores every polite signal, and that holds our pipes. */
  grandchild: () => {
    const code =
      "for (const s of ['SIGTERM','SIGHUP','SIGINT']) process.on(s, () => {}); setInterval(() => {}, 1000)";
    const { pid } = spawn(process.execPath, ['-e', code], { stdio: 'inherit' });
    return text(String(pid));
  },
  'big-line': ({ bytes }) => text('x'.repeat(Number(bytes))),
  noise: () => {
    process.stdout.write('this is no JSON\n');
    return text('Noisy');
  },
  progress: (_, id) => {
    for (const progress of [1, 1, 3, 2, 4]) {
      send({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: tokens.get(id), progress, total: 4 },
      });
    }
    return text('Progressed');
  },
};

/** Calls that wait for a client's answer, by their question. */
const asking = new Map<Message['id'], Message['id']>();
const subscribed = new Set<unknown>();
const tokens = new Map<Message['id'], unknown>();

function text(value: string): object {
  return { content: [{ type: 'text', text: value }] };
}

function send(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function answer({ id, method, params, result, error }: Message): void {
  if (id === undefined) return;
  if (method === undefined) return told(id, result ?? error);
  const reply = (result: unknown): void => send({ jsonrpc: '2.0', id, result });
  if (method === 'initialize') {
    const serverInfo = { name: 'stdio-fixture', version: '1.0.0' };
    const capabilities = { tools: {}, resources: { subscribe: true } };
    return reply({ protocolVersion: '2025-11-25', capabilities, serverInfo });
  }
  if (method === 'ping') return reply({});
  if (method === 'tools/list') {
    return reply({ tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })) });
  }
  if (method === 'resources/list') return reply({ resources: [{ uri: 'stdio://note', name: 'note' }] });
  if (method === 'resources/read') return reply({ contents: [{ uri: params?.['uri'], text: 'A note' }] });
  if (method === 'resources/subscribe' || method === 'resources/unsubscribe') {
    if (method === 'resources/subscribe') subscribed.add(params?.['uri']);
    else subscribed.delete(params?.['uri']);
    return reply({});
  }
  if (method === 'tools/call') return callTool(id, params ?? {}, reply);
  if (flags.has('--exit-on-probe')) process.exit(1);
  if (flags.has('--ignore-probe')) return;
  send({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
}

function told(question: Message['id'], answered: unknown): void {
  const id = asking.get(question);
  asking.delete(question);
  if (id !== undefined) send({ jsonrpc: '2.0', id, result: text(`Told: ${JSON.stringify(answered)}`) });
}

function callTool(
  id: Message['id'],
  params: Record<string, unknown>,
  reply: (result: unknown) => void,
): void {
  tokens.set(id, (params['_meta'] as Args | undefined)?.['progressToken']);
  const result = tools[String(params['name'])]?.((params['arguments'] ?? {}) as Args, id);
  if (result !== undefined) reply(result);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => answer(JSON.parse(line) as Message));
if (flags.has('--ignore-end')) {
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, () => undefined);
  setInterval(() => undefined, 1000);
} else lines.on('close', () => process.exit(0));

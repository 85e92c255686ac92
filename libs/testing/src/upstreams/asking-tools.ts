import { inputRequired, ProtocolError, type ServerContext } from '@modelcontextprotocol/server';
import { isModern } from './fixture-features.js';
import { requestStates } from './fixture-server.js';
import { defineTool, textResult, type FixtureTool, type ToolRun } from './fixture-tool.js';
import { askFirst, form, sample } from './input-required.js';

const string = { type: 'string' };
const READ_ONLY = { annotations: { readOnlyHint: true } };
export const askedUrl = 'https://pay.example.com/confirm';

/**
 * Tools that ask their client, of a 2025 client in the middle of the call and of a 2026 client by `input_required`. Each
 * logs its call (`callsOf`), and answers with what it was told.
 */
export function askingTools(): FixtureTool[] {
  return [
    asking('ask_form', { message: string }, askForm),
    asking('ask_or_fail', { message: string }, askOrFail),
    asking('ask_url', { message: string }, askUrl),
    asking('ask_sampling', { message: string }, askSampling),
    asking('ask_roots', {}, askRoots),
    asking('ask_twice', {}, askTwice),
    defineTool('needs_url', READ_ONLY, needUrl),
    defineTool('log_some', READ_ONLY, logSome),
    defineTool('touch_resource', { properties: { uri: string } }, async ({ args, resourceUpdated }) => {
      await resourceUpdated(String(args['uri'] ?? watchedUri));
      return textResult('Touched');
    }),
    defineTool('quiet', READ_ONLY, () => textResult('Nothing was asked')),
  ];
}

export const watchedUri = 'note://today';

function asking(
  name: string,
  properties: Record<string, object>,
  ask: (run: ToolRun) => Promise<unknown>,
): FixtureTool {
  return defineTool(name, { properties }, async (run) => {
    run.log.add(name, run.args);
    return ask(run);
  });
}

function told(answer: unknown): object {
  return textResult(`Told: ${JSON.stringify(answer)}`);
}

async function askForm({ args, ctx }: ToolRun): Promise<unknown> {
  const message = String(args['message'] ?? 'What is your name?');
  if (isModern(ctx)) return askFirst(ctx, { name: form(message, 'name') }, ({ name }) => told(name), 'form');
  return told(await pushForm(ctx, message));
}

/** On the stream of the call itself; the SDK's own helpers, as below, ask on the session's standing stream. */
function pushForm(ctx: ServerContext, message: string): Promise<unknown> {
  const properties = { name: { type: 'string' } };
  const requestedSchema = { type: 'object', properties, required: ['name'] };
  return ctx.mcpReq.send({ method: 'elicitation/create', params: { message, requestedSchema } });
}

/** What comes of a tool whose server makes error results of all that it throws, as the 1.x SDK does. */
async function askOrFail(run: ToolRun): Promise<unknown> {
  try {
    return await askForm(run);
  } catch (error) {
    return { ...textResult(String(error)), isError: true, _meta: { 'io.switchyard/error': 'forged' } };
  }
}

async function askUrl({ args, ctx }: ToolRun): Promise<unknown> {
  const message = String(args['message'] ?? 'Please confirm the payment');
  if (isModern(ctx)) {
    const question = { payment: inputRequired.elicitUrl({ message, url: askedUrl }) };
    return askFirst(ctx, question, ({ payment }) => told(payment));
  }
  const elicitationId = 'payment-1';
  const answer = await ctx.mcpReq.elicitInput({ mode: 'url', message, url: askedUrl, elicitationId });
  await ctx.mcpReq.notify({ method: 'notifications/elicitation/complete', params: { elicitationId } });
  return told(answer);
}

async function askSampling({ args, ctx }: ToolRun): Promise<unknown> {
  const text = String(args['message'] ?? 'What is the capital of France?');
  if (isModern(ctx)) return askFirst(ctx, { capital: sample(text) }, ({ capital }) => told(capital));
  const message = { role: 'user' as const, content: { type: 'text' as const, text } };
  return told(await ctx.mcpReq.requestSampling({ messages: [message], maxTokens: 100 }));
}

async function askRoots({ ctx }: ToolRun): Promise<unknown> {
  if (isModern(ctx)) return askFirst(ctx, { roots: inputRequired.listRoots() }, ({ roots }) => told(roots));
  return told(await ctx.mcpReq.send({ method: 'roots/list' }));
}

async function askTwice({ ctx }: ToolRun): Promise<unknown> {
  if (!isModern(ctx)) return told([await pushForm(ctx, 'First?'), await pushForm(ctx, 'Second?')]);
  const second = { second: form('Second?', 'name') };
  if (ctx.mcpReq.requestState() === 'second') return askFirst(ctx, second, told, 'second');
  const next = async () =>
    inputRequired({ inputRequests: second, requestState: await requestStates.mint('second') });
  return askFirst(ctx, { first: form('First?', 'name') }, next, 'first');
}

/** Before 2026-07-28 a server may also refuse a call until its user has been somewhere. */
function needUrl({ ctx }: ToolRun): unknown {
  if (isModern(ctx)) return textResult('No page is needed');
  const elicitation = { mode: 'url', message: 'Sign in', url: askedUrl, elicitationId: 'sign-in-1' };
  throw new ProtocolError(-32042, 'URL elicitation required', { elicitations: [elicitation] });
}

async function logSome({ ctx }: ToolRun): Promise<unknown> {
  for (const level of ['debug', 'info', 'warning'] as const)
    await ctx.mcpReq.log(level, `a ${level} message`, 'fixture');
  return textResult('Logged');
}

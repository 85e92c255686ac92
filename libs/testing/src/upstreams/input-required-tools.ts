import { inputRequired, type ServerContext } from '@modelcontextprotocol/server';
import { requestStates } from './fixture-server.js';
import { defineTool, textResult, type FixtureTool } from './fixture-tool.js';
import { askFirst, declaredCapabilities, form, sample } from './input-required.js';

/** The tools of the conformance suite that ask their client in the manner of 2026-07-28. */
export function inputRequiredTools(): FixtureTool[] {
  const named = (name: string, run: (ctx: ServerContext) => Promise<unknown>): FixtureTool =>
    defineTool(`input_required_result_${name}`, {}, ({ ctx }) => run(ctx));
  return [
    named('elicitation', (ctx) =>
      askFirst(ctx, { user_name: form('What is your name?', 'name') }, ({ user_name: answer }) =>
        textResult(`Hello, ${String((answer as { content?: { name?: string } }).content?.name)}!`),
      ),
    ),
    named('sampling', (ctx) =>
      askFirst(ctx, { capital_question: sample('What is the capital of France?') }, said),
    ),
    named('list_roots', (ctx) => askFirst(ctx, { client_roots: inputRequired.listRoots() }, said)),
    named('request_state', (ctx) =>
      askFirst(ctx, { confirm: form('Please confirm', 'ok', 'boolean') }, () => stateOk(ctx), 'confirming'),
    ),
    named('tampered_state', (ctx) =>
      askFirst(ctx, { confirm: form('Please confirm', 'ok', 'boolean') }, () => stateOk(ctx), 'confirming'),
    ),
    named('multiple_inputs', (ctx) => askFirst(ctx, threeQuestions(), said, 'three')),
    named('multi_round', multiRound),
    named('capabilities', askWhatIsDeclared),
  ];
}

function said(answers: Record<string, unknown>): object {
  return textResult(`Answered: ${JSON.stringify(answers)}`);
}

function stateOk(ctx: ServerContext): object {
  return textResult(ctx.mcpReq.requestState() === 'confirming' ? 'state-ok' : 'there was no state');
}

function threeQuestions() {
  return {
    user_name: form('What is your name?', 'name'),
    greeting: sample('Generate a greeting'),
    client_roots: inputRequired.listRoots(),
  };
}

async function multiRound(ctx: ServerContext): Promise<unknown> {
  if (ctx.mcpReq.requestState() === 'second')
    return askFirst(ctx, { step2: form('Step 2: What is your favorite color?', 'color') }, said, 'second');
  const second = async () =>
    inputRequired({
      inputRequests: { step2: form('Step 2: What is your favorite color?', 'color') },
      requestState: await requestStates.mint('second'),
    });
  return askFirst(ctx, { step1: form('Step 1: What is your name?', 'name') }, second, 'first');
}

async function askWhatIsDeclared(ctx: ServerContext): Promise<unknown> {
  const { elicitation, sampling, roots } = declaredCapabilities(ctx);
  const questions = {
    ...(elicitation !== undefined && { user_name: form('What is your name?', 'name') }),
    ...(sampling !== undefined && { greeting: sample('Generate a greeting') }),
    ...(roots !== undefined && { client_roots: inputRequired.listRoots() }),
  };
  if (Object.keys(questions).length === 0) return textResult('The client can answer nothing');
  return askFirst(ctx, questions, said);
}

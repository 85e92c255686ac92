/** `npm start`: a whole Switchyard on this machine, in the foreground. */
import { join } from 'node:path';
import { Installation, type Started } from './start/installation.ts';
import { StartError } from './start/supervised-service.ts';
import { help, parseOptions, UsageError } from './start/options.ts';

const root = join(import.meta.dirname, '..');
const startedAt = Date.now();
/** A terminal, npm and our own launcher may each deliver the same Ctrl-C. */
const sameSignalMs = 1_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function endOnSignals(installation: Installation): (code: number) => void {
  let endingSince: number | undefined;
  const end = (code: number): void => {
    if (endingSince === undefined) {
      endingSince = Date.now();
      say('\nEnding …');
      installation.stop().then(
        () => process.exit(code),
        (error: unknown) => fail(error),
      );
    } else if (Date.now() - endingSince > sameSignalMs) {
      say('Killing what still runs');
      void installation.kill().finally(() => process.exit(1));
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(0));
  process.on('disconnect', () => end(0));
  return end;
}

function summary(started: Started): string {
  const { gatewayUrl, virtualKey, identityProvider, agent, result, problems, what } = started;
  const url = `${gatewayUrl}/mcp`;
  const lines = [
    '',
    `Switchyard is ready (${((Date.now() - startedAt) / 1000).toFixed(1)} s): ${what}`,
    '',
    `  MCP URL      ${url}`,
  ];
  if (virtualKey) lines.push(`  Virtual key  ${virtualKey}`);
  if (identityProvider) {
    const users = identityProvider.users.map(({ username, password }) => `${username} / ${password}`);
    lines.push(`  Sign in      ${gatewayUrl}/sign-in as ${users.join(' or ')}`);
  }
  if (result !== null) lines.push(`  First call   filesystem_read_text_file → ${result}`);
  if (agent) lines.push(`  Agent        ${agent}, by a demonstration model (rules, not a language model)`);
  for (const problem of problems) lines.push(`  Problem      ${problem}`);
  if (virtualKey) {
    const isByOAuth = process.env['GATEWAY_MCP_SERVER_AUTH_MODE'] === 'oauth';
    const header = isByOAuth ? '' : ` --header "Authorization: Bearer ${virtualKey}"`;
    lines.push('', '  In Claude Code:', `  claude mcp add --transport http switchyard ${url}${header}`);
  }
  if (agent) lines.push('', '  Talk to the agent:', ...chatLines(gatewayUrl, agent));
  return [...lines, '', '  Ctrl-C ends everything.', ''].join('\n');
}

function chatLines(gatewayUrl: string, agent: string): string[] {
  const body = JSON.stringify({ agent, stream: false, message: 'What can you do?' });
  const folder = process.env.SWITCHYARD_DATA_DIR;
  const signIn = `${folder ? `SWITCHYARD_DATA_DIR=${folder} ` : ''}npm run -s sign-in -- alice`;
  return [
    `  curl ${gatewayUrl}/api/chat -H "Authorization: Bearer $(${signIn})" \\`,
    `    -H "Content-Type: application/json" -d '${body}'`,
  ];
}

function fail(error: unknown): never {
  process.stderr.write(
    `${error instanceof UsageError || error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), process.env, root);
  if (!options) return say(help);
  const installation = new Installation(root, options);
  const end = endOnSignals(installation);
  try {
    const started = await installation.start(say, () => {
      process.stderr.write('PostgreSQL ended by itself; see logs/postgres.log in the data folder.\n');
      end(1);
    });
    say(summary(started));
  } catch (error) {
    if (installation.isEnding) return;
    await installation.stop().catch(() => undefined);
    fail(error);
  }
}

await main().catch(fail);

import {
  LOCAL_TOOLS_COMMAND,
  PlatformError,
  type StdioAllowlist,
  type StdioAllowlistEntry,
} from '@switchyard/contracts';

/** A command that an operator allowed: absolute, with its whole argument list and the variables that it may get. */
export type StdioCommand = { command: string; args: string[]; env: string[] };

const MAX_ARGUMENTS = 64;
const MAX_ARGUMENT_LENGTH = 4096;

/** Variables that choose what code runs. A tenant's value never reaches them, even where an entry names them. */
const LOADER_VARIABLES =
  /^(LD_.*|DYLD_.*|PATH|IFS|ENV|BASH_ENV|SHELLOPTS|NODE_OPTIONS|NODE_PATH|PYTHON(PATH|STARTUP|HOME)|PERL5(LIB|OPT)|RUBY(LIB|OPT)|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|GIT_.*|npm_.*)$/i;

/**
 * Finds the operator's entry for a stdio transport. The child is started with the entry's own command and arguments;
 * what the integration adds must match the entry's pattern, each argument as a whole. Throws `stdio_not_allowed`, and
 * always for the reserved command of local tools: what that starts no list says.
 */
export function matchStdio(
  allowlist: StdioAllowlist,
  transport: { command: string; args: string[] },
  orgSlug: string,
): StdioCommand {
  if (transport.command === LOCAL_TOOLS_COMMAND) throw new PlatformError('stdio_not_allowed');
  for (const entry of allowlist) {
    if (entry.name !== transport.command && entry.command !== transport.command) continue;
    if (!entry.organizations.includes('*') && !entry.organizations.includes(orgSlug)) continue;
    const added = addedArguments(entry, transport.args);
    if (!added.every((argument) => isAllowed(entry, argument)) || added.length > MAX_ARGUMENTS) continue;
    const env = entry.env.filter((name) => !LOADER_VARIABLES.test(name));
    return { command: entry.command, args: [...entry.args, ...added], env };
  }
  throw new PlatformError('stdio_not_allowed');
}

/** An imported `mcp.json` repeats the fixed arguments; a registration by name leaves them out. */
function addedArguments(entry: StdioAllowlistEntry, args: string[]): string[] {
  const repeatsFixed = entry.args.every((argument, index) => args[index] === argument);
  return repeatsFixed ? args.slice(entry.args.length) : args;
}

function isAllowed(entry: StdioAllowlistEntry, argument: string): boolean {
  if (!entry.argument_pattern || argument.length > MAX_ARGUMENT_LENGTH || argument.includes('\0'))
    return false;
  return new RegExp(`^(?:${entry.argument_pattern})$`, 'u').test(argument);
}

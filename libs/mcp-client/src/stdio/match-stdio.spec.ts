import { describe, expect, it } from '@jest/globals';
import type { StdioAllowlist } from '@switchyard/contracts';
import { matchStdio } from './match-stdio.js';

const allowlist: StdioAllowlist = [
  {
    name: 'memory',
    command: '/usr/bin/node',
    args: ['/opt/memory.js'],
    env: ['MEMORY_FILE_PATH'],
    organizations: ['default'],
  },
  {
    name: 'files',
    command: '/usr/bin/node',
    args: ['/opt/files.js'],
    argument_pattern: '/data/[a-z]+',
    env: [],
    organizations: ['*'],
  },
  {
    name: 'loose',
    command: '/usr/bin/loose',
    args: [],
    env: ['TOKEN', 'LD_PRELOAD', 'PATH', 'NODE_OPTIONS', 'npm_config_x'],
    organizations: ['acme'],
  },
];
const match =
  (command: string, args: string[] = [], org = 'default') =>
  () =>
    matchStdio(allowlist, { command, args }, org);
const notAllowed = expect.objectContaining({ code: 'stdio_not_allowed' });

function matchesIn(list: Parameters<typeof matchStdio>[0], command: string): boolean {
  try {
    return Boolean(matchStdio(list, { command, args: [] }, 'default'));
  } catch {
    return false;
  }
}

describe('matchStdio', () => {
  it('starts the entry’s own command with its own arguments', () => {
    expect(match('memory')()).toEqual({
      command: '/usr/bin/node',
      args: ['/opt/memory.js'],
      env: ['MEMORY_FILE_PATH'],
    });
  });

  it('appends arguments that match the pattern as a whole', () => {
    expect(match('files', ['/data/a', '/data/b'])().args).toEqual(['/opt/files.js', '/data/a', '/data/b']);
  });

  it('takes an entry by its absolute command, with the fixed arguments repeated as an mcp.json does', () => {
    expect(match('/usr/bin/node', ['/opt/files.js', '/data/a'])().args).toEqual(['/opt/files.js', '/data/a']);
    expect(match('/usr/bin/node', ['/opt/memory.js'])().env).toEqual(['MEMORY_FILE_PATH']);
  });

  it.each<[string, string, string[]]>([
    ['an unknown name', 'shell', []],
    ['a relative command', 'node', []],
    ['a relative path', '../usr/bin/node', ['/opt/memory.js']],
    ['another spelling of the command', '/usr/bin/../bin/node', ['/opt/memory.js']],
    ['npx -c', 'npx', ['-c', 'id']],
    ['an argument where none is allowed', 'memory', ['--node-options=--require=/tmp/x.js']],
    ['an option in place of a path', 'files', ['--node-options=--require=/tmp/x.js']],
    ['a match of a part', 'files', ['/data/a;id']],
    ['a match of one line of several', 'files', ['/data/a\n--eval']],
    ['a trailing line break', 'files', ['/data/a\n']],
    ['a NUL byte', 'files', ['/data/a\0']],
    ['one bad argument among good ones', 'files', ['/data/a', '-e', '/data/b']],
    ['too many arguments', 'files', Array.from({ length: 65 }, () => '/data/a')],
    ['an argument without end', 'files', [`/data/${'a'.repeat(5000)}`]],
  ])('refuses %s', (_, command, args) => expect(match(command, args)).toThrow(notAllowed));

  it('refuses organizations that the entry does not list', () => {
    expect(match('memory', [], 'acme')).toThrow(notAllowed);
    expect(match('files', ['/data/a'], 'acme')).not.toThrow();
  });

  it('refuses the command of local tools, even if an entry has its name', () => {
    const command = 'switchyard-local-tools';
    const entry = { name: command, command: '/bin/sh', args: [], env: [], organizations: ['*'] };
    for (const given of [command, '/bin/sh']) expect(matchesIn([entry], given)).toBe(given === '/bin/sh');
  });

  it('lets no value reach a variable that chooses what code runs, even if an entry names it', () => {
    expect(match('loose', [], 'acme')().env).toEqual(['TOKEN']);
  });

  it('refuses everything without an allow-list', () => {
    expect(() => matchStdio([], { command: '/bin/sh', args: [] }, 'default')).toThrow(notAllowed);
  });
});

import { describe, expect, it } from '@jest/globals';
import { commandOf } from './command-of.js';

const transport = { type: 'stdio' as const, command: 'switchyard-local-tools', args: [] };
const stdioAllowlist = ['files', transport.command].map((name) => ({
  ...{ name, command: '/usr/bin/files', args: [], env: [], organizations: ['*'] },
}));
const settings = { stdioAllowlist, localTools: '/srv/tools' };

describe('commandOf', () => {
  it('starts the host of the operator’s folder for the local tools', () => {
    const { command, args, env } = commandOf({ kind: 'local', transport }, 'default', settings);
    expect([command, args.at(-1), env]).toEqual([process.execPath, '/srv/tools', []]);
  });

  it('starts it for no other kind, and nothing else for that kind', () => {
    expect(() => commandOf({ kind: 'external_mcp', transport }, 'default', settings)).toThrow('operator');
    const files = { ...transport, command: 'files' };
    expect(commandOf({ kind: 'external_mcp', transport: files }, 'default', settings).command).toBe(
      '/usr/bin/files',
    );
    expect(() => commandOf({ kind: 'local', transport: files }, 'default', settings)).toThrow();
  });

  it('says what is missing where this worker has no folder', () => {
    const without = { stdioAllowlist, localTools: null };
    expect(() => commandOf({ kind: 'local', transport }, 'default', without)).toThrow(
      'SWITCHYARD_LOCAL_TOOLS',
    );
  });
});

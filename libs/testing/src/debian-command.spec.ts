import { describe, expect, it } from '@jest/globals';
import { debianCommand } from './debian-command.js';

describe('debianCommand', () => {
  it('gives the path of the first name that there is, and installs nothing then', () => {
    expect(debianCommand(['no-such-program', 'sh', 'cat'], { install: 'no-such-package' })).toMatch(/\/sh$/);
  });

  it('says what is missing and what to do where it cannot be installed', () => {
    const ask = () =>
      debianCommand(['no-such-program'], { install: 'no-such-package', hint: ', or do without' });
    const path = process.env['PATH'];
    // Without apt-get in reach, as on other systems.
    process.env['PATH'] = '/nowhere';
    try {
      expect(ask).toThrow('Install no-such-package, or do without.');
    } finally {
      process.env['PATH'] = path;
    }
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cleanDataFolder, makeDataFolder } from './data-folder.ts';
import { UsageError } from './options.ts';
import { forgetFormerMasterKeys, loadSecrets, roleUrl } from './secrets.ts';
import { takeStartLock } from './start-lock.ts';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'switchyard-folder-')), 'data');
  makeDataFolder(folder);
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe('the data folder', () => {
  it('and the keys in it are for their owner alone', () => {
    loadSecrets(folder);
    expect(modeOf(folder)).toBe(0o700);
    expect(modeOf(join(folder, 'secrets.json'))).toBe(0o600);
  });

  it('forgets all but the lock when cleaned', () => {
    const first = loadSecrets(folder);
    const lock = takeStartLock(folder);
    mkdirSync(join(folder, 'postgres'));
    cleanDataFolder(folder);
    expect(existsSync(join(folder, 'postgres'))).toBe(false);
    expect(existsSync(join(folder, 'start.lock'))).toBe(true);
    expect(loadSecrets(folder)).not.toEqual(first);
    lock.release();
  });
});

describe('keys', () => {
  it('are made once', () => {
    expect(loadSecrets(folder)).toEqual(loadSecrets(folder));
    const before = loadSecrets(folder);
    const given = loadSecrets(folder, 'another-key');
    expect(given).toEqual({ ...before, masterKey: 'another-key', formerMasterKeys: [before.masterKey] });
    expect(loadSecrets(folder)).toEqual(given);
    forgetFormerMasterKeys(folder, given);
    expect(loadSecrets(folder)).toEqual({ ...given, formerMasterKeys: [] });
  });

  it('are not made anew over a database that only the old ones open', () => {
    mkdirSync(join(folder, 'postgres'));
    expect(() => loadSecrets(folder)).toThrow(UsageError);
  });

  it('of roles follow from the migrator’s, whatever the database, and differ by role', () => {
    const password = (url: string, role: string) => new URL(roleUrl(url, role)).password;
    const admin = 'postgres://admin:secret@host';
    expect(password(`${admin}/one`, 'gateway')).toBe(password(`${admin}/two`, 'gateway'));
    expect(password(`${admin}/one`, 'gateway')).not.toBe(password(`${admin}/one`, 'dispatch'));
    expect(new URL(roleUrl(`${admin}/one`, 'token-broker')).username).toBe('switchyard_token_broker');
  });
});

describe('the lock of a start', () => {
  it('lets nobody else in until it is released', () => {
    const lock = takeStartLock(folder);
    expect(() => takeStartLock(folder)).toThrow(/already runs/);
    lock.release();
    expect(takeStartLock(folder).wasAbandoned).toBe(false);
  });

  it('is taken over from a process that is dead, or whose number another process has now', async () => {
    const dead = spawn('/bin/true');
    await once(dead, 'exit');
    for (const holder of [`${dead.pid} 1`, `${process.pid} 1`, 'nonsense']) {
      writeFileSync(join(folder, 'start.lock'), holder);
      const lock = takeStartLock(folder);
      expect(lock.wasAbandoned).toBe(true);
      lock.release();
    }
  });
});

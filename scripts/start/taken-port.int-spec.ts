import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');

describe('a port of the gateway that another process has', () => {
  let other: Server;
  let port: number;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-port-'));
    other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    ({ port } = other.address() as AddressInfo);
  });
  afterEach(() => {
    other.close();
    rmSync(folder, { recursive: true });
  });

  it('ends npm start before anything is built or opened, with one plain sentence', async () => {
    const env = { PATH: process.env.PATH, PORT: String(port), SWITCHYARD_DATA_DIR: folder };
    const start = spawn(process.execPath, [join(root, 'scripts/start.ts')], { env });
    const [stdout, stderr, [code]] = await Promise.all([
      text(start.stdout),
      text(start.stderr),
      once(start, 'exit') as Promise<[number]>,
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`Port ${port} is in use: set PORT to another one.\n`);
    expect(readdirSync(folder)).not.toContain('postgres');
  });
});

import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import type { Switchyard } from '../harness/switchyard.js';
import { sampleFiles } from './direct-servers.js';

type Listed = { id: number; result: { tools: { name: string }[] } };
type Called = { id: number; result: { content: { text: string }[] } };

const list = '{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}';

/**
 * The commands of the source document, as they stand there: no `Accept`, no `initialize`, no session. Only host, key
 * and file are ours.
 */
export function answersCurl(switchyard: () => Switchyard): void {
  describe('curl', () => {
    it.each([
      ['Authorization', (key: string) => `Authorization: Bearer ${key}`],
      ['X-Api-Key', (key: string) => `X-Api-Key: ${key}`],
      ['x-bf-virtual-key', (key: string) => `x-bf-virtual-key: ${key}`],
    ])('lists tools with the key in %s', async (_, header) => {
      const listed = await curl<Listed>([
        '-X',
        'POST',
        urlOf(switchyard),
        '-H',
        header(keyOf(switchyard)),
        ...json(list),
      ]);
      expect(listed.id).toBe(1);
      expect(listed.result.tools.map(({ name }) => name)).toContain('filesystem_read_file');
    });

    it('calls a tool', async () => {
      const path = join(sampleFiles(switchyard()), 'welcome.txt');
      const params = { name: 'filesystem_read_file', arguments: { path } };
      const call = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params });
      const called = await curl<Called>([
        '-X',
        'POST',
        urlOf(switchyard),
        '-H',
        `X-Api-Key: ${keyOf(switchyard)}`,
        ...json(call),
      ]);
      expect(called).toMatchObject({
        id: 2,
        result: { content: [{ text: expect.stringContaining('Welcome') }] },
      });
    });

    it('is told where to authenticate when it brings no key', async () => {
      const { stdout } = await promisify(execFile)('curl', [
        '-s',
        '-i',
        '-X',
        'POST',
        urlOf(switchyard),
        ...json(list),
      ]);
      expect(stdout).toMatch(/^HTTP\/1.1 401/);
      expect(stdout).toMatch(/www-authenticate: Bearer .*resource_metadata="http/i);
    });

    it('is sent connection/opened when it opens the stream, which then stays open', async () => {
      const args = [
        '-s',
        '-N',
        urlOf(switchyard),
        '-H',
        'Accept: text/event-stream',
        '-H',
        `X-Api-Key: ${keyOf(switchyard)}`,
      ];
      const stream = spawn('curl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        let received = '';
        stream.stdout.setEncoding('utf8').on('data', (text: string) => (received += text));
        await eventually(() => received.includes('"connection/opened"'));
        expect(stream.exitCode).toBeNull();
      } finally {
        stream.kill();
      }
    });
  });
}

/** By the name that the commands use. */
function urlOf(switchyard: () => Switchyard): string {
  return switchyard().mcpUrl.replace('127.0.0.1', 'localhost');
}

function keyOf(switchyard: () => Switchyard): string {
  return switchyard().dev.virtual_key ?? '';
}

function json(body: string): string[] {
  return ['-H', 'Content-Type: application/json', '-d', body];
}

async function curl<T>(args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)('curl', ['-s', ...args]);
  return JSON.parse(stdout) as T;
}

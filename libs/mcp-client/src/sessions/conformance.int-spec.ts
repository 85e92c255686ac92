import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { compileProjects, workspaceRoot } from '@switchyard/testing';

const root = workspaceRoot();
const suite = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const client = `${process.execPath} ${join(root, 'libs/mcp-client/test/conformance-client.mjs')}`;

beforeAll(() => compileProjects('libs/contracts', 'libs/mcp-client'));

describe('the MCP conformance suite', () => {
  it.each([
    'initialize',
    'tools_call',
    'sse-retry',
    'request-metadata',
    'http-standard-headers',
    'http-custom-headers',
    'http-invalid-tool-headers',
    'json-schema-ref-no-deref',
  ])(
    'passes a session as a client: %s',
    async (scenario) => {
      const args = [suite, 'client', '--command', client, '--scenario', scenario];
      const { stderr, stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
      expect(`${stdout}${stderr}`).toMatch(/ 0 failed/);
    },
    60_000,
  );
});

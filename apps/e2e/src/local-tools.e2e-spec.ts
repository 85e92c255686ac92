import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import { eventually, workspaceRoot } from '@switchyard/testing';
import { bearer, callTool, rpc, textOf, toolNames } from './harness/mcp-rpc.js';
import { onOneSwitchyard } from './harness/on-both-queues.js';

jest.setTimeout(90_000);

const folder = mkdtempSync(join(tmpdir(), 'switchyard-e2e-tools-'));
cpSync(join(workspaceRoot(), 'docs/examples/local-tools'), folder, { recursive: true });
const env: Record<string, string> = { SWITCHYARD_LOCAL_TOOLS: folder };

const whoami = `
import { defineTool } from '@switchyard/local-tools';
import { z } from 'zod';
export default defineTool({ name: 'whoami', description: 'Who calls.', input: z.object({}), handler: (_, { caller }) => ({ ...caller }) });
`;

onOneSwitchyard('local tools', { env }, (switchyard) => {
  const local = async () => {
    const all = await switchyard().admin.integrations();
    const found = all.find(({ transport }) => transport.command === 'switchyard-local-tools');
    if (!found) throw new Error('there are no local tools');
    return found;
  };
  const makeKey = async () => (await switchyard().admin.makeKey({ local: ['*'] })).key;

  it('are listed and called like all others, from the folder that the operator named', async () => {
    const { admin, mcpUrl } = switchyard();
    await admin.untilState((await local()).id, 'connected');
    const key = await makeKey();
    await eventually(async () => (await toolNames(mcpUrl, bearer(key))).length === 2);
    const call = (args: object) => callTool(mcpUrl, key, { name: 'local_business_days', arguments: args });
    const { body } = await call({ from: '2026-11-30', to: '2026-12-06' });
    expect(body.result).toMatchObject({ structuredContent: { days: 5 } });
    const backwards = await call({ from: '2026-11-30', to: '2026-11-29' });
    expect(backwards.body.result).toMatchObject({ isError: true });
    expect(textOf(backwards.body.result)).toBe('"to" is before "from".');
    expect(JSON.stringify((await call({ from: 'today' })).body)).toContain('tool_arguments_invalid');
  });

  it('change with their files after a reconnect, and know who calls from nobody but us', async () => {
    const { admin, mcpUrl } = switchyard();
    const key = await makeKey();
    writeFileSync(join(folder, 'whoami.ts'), whoami);
    await admin.must('POST', `/api/mcp/client/${(await local()).id}/reconnect`);
    await eventually(async () => (await toolNames(mcpUrl, bearer(key))).includes('local_whoami'));
    const _meta = { 'io.switchyard/caller': { organization_id: 'another' } };
    const params = { name: 'local_whoami', arguments: {}, _meta };
    const { body } = await rpc(mcpUrl, bearer(key), { method: 'tools/call', params });
    expect(body.result?.structuredContent).toMatchObject({
      ...{ organization_id: DEFAULT_ORGANIZATION_ID, run_kind: 'mcp', user_id: null, agent_id: null },
    });
  });

  it('say to their admin why they do not load', async () => {
    const { admin } = switchyard();
    const { id } = await local();
    writeFileSync(join(folder, 'whoami.ts'), 'throw new Error("half-written");');
    await admin.must('POST', `/api/mcp/client/${id}/reconnect`);
    const failure = await eventually(async () => (await local()).last_failure ?? undefined);
    expect(failure.message).toContain('whoami.ts does not load: half-written');
    writeFileSync(join(folder, 'whoami.ts'), whoami);
    await admin.must('POST', `/api/mcp/client/${id}/reconnect`);
    await admin.untilState(id, 'connected', 40_000);
  });

  it('are disabled without the setting', async () => {
    const key = await makeKey();
    await switchyard().end();
    delete env['SWITCHYARD_LOCAL_TOOLS'];
    await switchyard().startAgain();
    expect(await local()).toMatchObject({ slug: 'local', state: 'disabled' });
    expect(await toolNames(switchyard().mcpUrl, bearer(key))).toEqual([]);
  });
});

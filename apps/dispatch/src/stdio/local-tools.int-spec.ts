import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID, stdioQueue, type ToolCallOutcome } from '@switchyard/contracts';
import { localToolsHost } from '@switchyard/local-tools';
import { compileProjects, eventually, onBothQueueBackends } from '@switchyard/testing';
import { DispatchHarness } from '../dispatch-harness-spec.js';

const userId = '0193b7a4-0000-7000-8000-000000000001';
const transport = { type: 'stdio' as const, command: 'switchyard-local-tools', args: [] };
const wires = ['whoami', 'environment', 'fail'].map((name) => ({ name, inputSchema: { type: 'object' } }));

const source = (description: string) => `
import { defineTool } from '@switchyard/local-tools';
import { z } from 'zod';
const input = z.object({});
export const whoami = defineTool({ name: 'whoami', description: '${description}', policy: 'require_approval', input,
  handler: (_, { caller }) => ({ caller }) });
export const environment = defineTool({ name: 'environment', description: 'x', input, handler: () => ({ ...process.env }) });
export const fail = defineTool({ name: 'fail', description: 'x', input, handler() { throw new Error('No such account.'); } });
`;

const structured = (outcome: ToolCallOutcome) =>
  outcome.status === 'completed' ? outcome.result['structuredContent'] : outcome;

onBothQueueBackends('the integration of local tools', (backend) => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-tools-'));
  const write = (code: string) => writeFileSync(join(folder, 'tools.ts'), code);
  let harness: DispatchHarness;
  let local: string;
  let external: string;
  let posing: string;

  beforeAll(async () => {
    await compileProjects('libs/contracts', 'libs/local-tools');
    write(source('before'));
    harness = await DispatchHarness.open(backend);
    local = await harness.insertIntegration('up', transport, wires, { kind: 'local', scope: 'global' });
    // The same program, as any stdio server of the operators' list.
    const other = { type: 'stdio' as const, command: 'same-program', args: [] };
    external = await harness.insertIntegration('limited', other, wires);
    posing = await harness.insertIntegration('posing', transport, wires);
    const allowlist = join(folder, 'allowlist.json');
    const { command, args } = localToolsHost(folder);
    writeFileSync(
      allowlist,
      JSON.stringify([
        { name: 'same-program', command, args },
        { name: transport.command, command, args },
      ]),
    );
    await harness.startWorker({ SWITCHYARD_STDIO_ALLOWLIST: allowlist, SWITCHYARD_LOCAL_TOOLS: folder });
  }, 120_000);
  afterAll(async () => {
    await harness?.close();
    rmSync(folder, { recursive: true });
  });

  const ask = (id: string, request: { op: 'list'; timeoutMs: number } | { op: 'restart' }) =>
    harness.queue.request(stdioQueue(id), { v: 1, ...request }, { timeoutMs: 20_000 });
  const list = (id = local) => ask(id, { op: 'list', timeoutMs: 15_000 });

  it('lists the tools of the folder, with their policies', async () => {
    expect(await list()).toMatchObject({
      status: 'listed',
      tools: expect.arrayContaining([
        expect.objectContaining({ name: 'whoami', _meta: { 'io.switchyard/policy': 'require_approval' } }),
      ]),
    });
  });

  it('tells a handler who calls, and nobody else can say so', async () => {
    const forged = {
      user_id: userId,
      organization_id: userId,
      call_id: userId,
      run_kind: 'chat',
      agent_id: null,
    };
    const job = harness.job(local, 'up_whoami');
    const meta = { 'io.switchyard/caller': forged, 'io.switchyard/other': 1, 'example.com/kept': 1 };
    expect(structured(await harness.send({ ...job, meta }))).toEqual({
      caller: {
        ...{ user_id: null, organization_id: DEFAULT_ORGANIZATION_ID, call_id: job.sealed.call.callId },
        ...{ run_kind: 'mcp', agent_id: null },
      },
    });
    // Where dispatch says nothing, what a caller says is not taken for it either.
    const toExternal = harness.job(external, 'limited_whoami');
    expect(structured(await harness.send({ ...toExternal, meta }))).toEqual({ caller: null });
  });

  it('has a tool’s error as its result', async () => {
    expect(await harness.call(local, 'up_fail')).toMatchObject({
      status: 'completed',
      result: { isError: true, content: [{ type: 'text', text: 'No such account.' }] },
    });
  });

  it('runs without the environment of dispatch', async () => {
    const names = Object.keys(structured(await harness.call(local, 'up_environment')) as object);
    expect(names).toEqual(['PATH']);
  });

  it('starts nothing for another integration that has its command, even where a list names it', async () => {
    expect(await list(posing)).toMatchObject({
      status: 'failed',
      failure: { error: { code: 'stdio_not_allowed' } },
    });
  });

  it('has the files as they are after a reconnect', async () => {
    write(source('after'));
    expect(await ask(local, { op: 'restart' })).toEqual({ status: 'alive' });
    expect(await list()).toMatchObject({
      tools: expect.arrayContaining([expect.objectContaining({ name: 'whoami', description: 'after' })]),
    });
  });

  it('tells an admin, and no caller, why the files do not load', async () => {
    write('throw new Error("half-written");');
    const why = `${folder}/tools.ts does not load: half-written`;
    expect(await ask(local, { op: 'restart' })).toMatchObject({
      status: 'failed',
      failure: { error: { details: { upstream_message: why } } },
    });
    const outcome = await harness.call(local, 'up_whoami', {}, { deadlineMs: 4_000 });
    expect(outcome).not.toMatchObject({ status: 'completed' });
    expect(JSON.stringify(outcome)).not.toContain('half-written');
    write(source('again'));
    await eventually(async () => (await list()).status === 'listed');
  });
});

/** Holds a stdio child that ignores the end of its stdin, and a grandchild, until somebody kills this process. */
import { createEgressPolicy, UpstreamSession } from '@switchyard/mcp-client';

const stdioCommand = { command: process.execPath, args: [process.argv[2], '--ignore-end'], env: [] };
const transport = { type: 'stdio', command: 'fixture', args: [] };
const session = await UpstreamSession.connect(
  { integrationId: 'i', transport, headers: {}, stdioCommand },
  { egress: createEgressPolicy({ allowPrivate: false }), timeoutMs: 10_000 },
);
const pidOf = async (name) =>
  Number((await session.call({ name, arguments: {}, timeoutMs: 5000 })).content[0].text);
process.stdout.write(`${JSON.stringify([await pidOf('pid'), await pidOf('grandchild')])}\n`);

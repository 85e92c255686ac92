/** The client that the MCP conformance suite drives: connects, lists, and makes the calls that the scenario wants. */
import { createEgressPolicy, UpstreamSession } from '@switchyard/mcp-client';

const fixedCalls = {
  tools_call: [{ name: 'add_numbers', arguments: { a: 5, b: 3 } }],
  'sse-retry': [{ name: 'test_reconnection', arguments: {} }],
};

const { toolCalls } = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const target = { integrationId: 'i', transport: { type: 'http', url: process.argv.at(-1) }, headers: {} };
const egress = createEgressPolicy({ allowPrivate: true });
const session = await UpstreamSession.connect(target, { egress, timeoutMs: 5000 });
const tools = await session.listTools({ timeoutMs: 5000 });
const every = tools.map(({ name }) => ({ name, arguments: {} }));
for (const call of toolCalls ?? fixedCalls[process.env.MCP_CONFORMANCE_SCENARIO] ?? every) {
  const tool = tools.find(({ name }) => name === call.name);
  await session.callTool({ ...call, tool, timeoutMs: 10_000 }).catch(() => undefined);
}
await session.close();
await egress.close();

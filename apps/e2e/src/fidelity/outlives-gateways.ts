import { expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { bearer, rpc, textOf } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

type Server = { readonly slug: string; readonly key: string };

const _meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
};

/** While its client is away with a question, a call depends on no gateway. */
export function outlivesGateways(switchyard: () => Switchyard, server: () => Server): void {
  it('a question may be answered after every gateway was killed', async () => {
    const { slug, key } = server();
    const name = `${slug}_ask_form`;
    const call = async (params: object) => {
      const headers = {
        ...bearer(key),
        ...{ accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28' },
        ...{ 'mcp-method': 'tools/call', 'mcp-name': name },
      };
      const url = switchyard().mcpUrls[1] ?? '';
      const answer = await rpc(url, headers, { method: 'tools/call', params: { name, ...params, _meta } });
      if (!answer.body?.result) throw new Error(`${answer.status} ${answer.text}`);
      return answer.body.result;
    };
    const { requestState, inputRequests } = await call({});
    const { gateway } = switchyard().dev.pids;
    for (const pid of gateway) switchyard().kill(pid);
    await switchyard().untilReplaced('gateway', gateway);

    const [questionId = ''] = Object.keys(inputRequests as object);
    const inputResponses = { [questionId]: { action: 'accept', content: { name: 'hal' } } };
    const result = await eventually(() => call({ inputResponses, requestState }), { timeoutMs: 30_000 });
    expect(textOf(result)).toContain('hal');
  });
}

import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernHttp,
} from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { bearer } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { openToUsers } from '../identity/protected-integration.js';
import { ApprovalsApi, asksFirst } from './approvals-api.js';

const tool = 'asked_count-side-effect';

/** What MCP clients of either era see of a call that their user has to approve. */
export function asksWithinTheCall(switchyard: () => Switchyard, people: () => People): void {
  describe('a call at /mcp that its own user may approve', () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    beforeAll(async () => {
      fixture = await connectFixture(switchyard(), 'asked', undo, { fields: asksFirst() });
      await openToUsers(switchyard(), 'asked', undo);
    });

    const timesRun = (id: string) =>
      fixture.upstream.callsOf('count-side-effect').filter((call) => call.arguments['id'] === id).length;
    const connect = async (era: 'legacy' | 'modern', replica: number, approve?: boolean): Promise<any> => {
      const options = { capabilities: approve === undefined ? {} : { elicitation: { form: {} } } };
      const answer = (): any => ({ action: 'accept', content: { approve } });
      const headers = bearer(await people().tokenOf('bob'));
      const url = new URL(switchyard().mcpUrls[replica] ?? '');
      const info = { name: era, version: '1' };
      if (era === 'legacy') {
        const client = new LegacyClient(info, options);
        if (approve !== undefined) client.setRequestHandler(ElicitRequestSchema, answer);
        await client.connect(new LegacyHttp(url, { requestInit: { headers } }));
        undo(() => client.close());
        return client;
      }
      const client = new ModernClient(info, { ...options, versionNegotiation: { mode: 'auto' } });
      if (approve !== undefined) client.setRequestHandler('elicitation/create', answer);
      await client.connect(new ModernHttp(url, { requestInit: { headers } }));
      undo(() => client.close());
      return client;
    };
    /** A policy of a moment ago may not have reached the gateway yet. */
    const call = (client: any, id: string): Promise<any> =>
      eventually(() => client.callTool({ name: tool, arguments: { id } }), { timeoutMs: 15_000 });

    describe.each(['legacy', 'modern'] as const)('by a %s client', (era) => {
      it('is asked for in the middle of it, and runs or is denied as the user says', async () => {
        const yes = await call(await connect(era, 0, true), `${era}-yes`);
        expect(yes.content).toMatchObject([{ text: `Done: ${era}-yes` }]);
        expect(timesRun(`${era}-yes`)).toBe(1);
        const no = await call(await connect(era, 0, false), `${era}-no`);
        expect(no).toMatchObject({ isError: true, structuredContent: { code: 'approval_denied' } });
        expect(timesRun(`${era}-no`)).toBe(0);
      });

      it('that cannot be asked finds the decision at whichever replica it calls again, once', async () => {
        const id = `${era}-again`;
        const [first, second] = [await connect(era, 0), await connect(era, 1)];
        const { structuredContent } = await call(first, id);
        expect(structuredContent).toMatchObject({ code: 'approval_required' });
        const approvals = new ApprovalsApi(switchyard().origin(), await people().tokenOf('bob'));
        const approved = await approvals.approve(structuredContent.details.approval_id);
        expect(approved.body).toMatchObject({ state: 'approved', arguments: { id } });
        expect((await call(second, id)).content).toMatchObject([{ text: `Done: ${id}` }]);
        expect((await call(first, id)).structuredContent).toMatchObject({ code: 'approval_required' });
        expect(timesRun(id)).toBe(1);
      });
    });
  });
}

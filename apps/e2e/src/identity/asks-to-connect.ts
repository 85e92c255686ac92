import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { undoAfterAll } from '../harness/connected-fixture.js';
import { bearer, toolNames } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { protectIntegration, untilListed } from './protected-integration.js';

const identity = { name: 'e2e', version: '1' };
const capabilities = { elicitation: { url: {} } };

/** Clients of both eras whose users connect in the middle of a call. */
export function asksToConnect(switchyard: () => Switchyard, people: () => People): void {
  describe('a client that opens URLs for its user', () => {
    const undo = undoAfterAll();

    /** An integration whose tools are known, for alice has connected, and a user who has not. */
    const known = async (slug: string) => {
      const made = await protectIntegration(switchyard(), slug, undo);
      await people().connect('alice', made.integration.id);
      const token = await people().tokenOf('carol');
      await untilListed(() => toolNames(switchyard().mcpUrl, bearer(token)), `${slug}_whoami`);
      const page = `${switchyard().origin()}/integrations/${made.integration.id}/connect`;
      return { ...made, page, http: { requestInit: { headers: bearer(token) } } };
    };

    it('of 2025-11-25 is told by -32042, and its next call goes through', async () => {
      const { integration, page, http } = await known('ask-legacy');
      const client = new LegacyClient(identity, { capabilities });
      await client.connect(new LegacyTransport(new URL(switchyard().mcpUrl), http));
      undo(() => client.close());
      const call = () => client.callTool({ name: 'ask-legacy_whoami', arguments: {} });
      await expect(call()).rejects.toMatchObject({
        code: -32042,
        data: { elicitations: [{ mode: 'url', url: page }] },
      });
      await people().connect('carol', integration.id);
      await eventually(async () => {
        expect(await call()).toMatchObject({ structuredContent: { sub: 'carol' } });
        return true;
      });
    });

    it('of 2026-07-28 is asked within the call, which goes through once its user has connected', async () => {
      const { integration, page, http } = await known('ask-modern');
      const client = new Client(identity, { capabilities, versionNegotiation: { mode: 'auto' } });
      const asked: string[] = [];
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        asked.push((params as { url: string }).url);
        // The browser opens; the client goes on at once.
        void people().connect('carol', integration.id);
        return { action: 'accept' };
      });
      await client.connect(new StreamableHTTPClientTransport(new URL(switchyard().mcpUrl), http));
      undo(() => client.close());
      const result = await client.callTool({ name: 'ask-modern_whoami', arguments: {} });
      expect(result).toMatchObject({ structuredContent: { sub: 'carol' } });
      expect(asked).toEqual([page]);
    });
  });
}

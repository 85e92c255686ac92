import { describe, expect, it } from '@jest/globals';
import { defineTool, eventually, textResult } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { type McpPeer, sdkNames, sdks } from '../harness/mcp-peers.js';
import { bearer } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

type Listener = { name: string; peer: McpPeer; told: number };

/** An upstream's change reaches every client, whatever its era and its gateway. */
export function tellsListChanges(switchyard: () => Switchyard): void {
  describe.each(['legacy', 'modern'] as const)('a change of the tools of a %s upstream', (era) => {
    const undo = undoAfterAll();
    const slug = `changing-${era}`;

    it('is told to clients of both SDKs at both gateways, and their lists have it', async () => {
      const { upstream, key } = await connectFixture(switchyard(), slug, undo, { upstream: { era } });
      const listeners = await listen(switchyard().mcpUrls, key);
      for (const { peer } of listeners) undo(() => peer.close());
      expect(listeners).toHaveLength(4);

      await upstream.setTools([...upstream.tools(), defineTool('newcomer', {}, () => textResult('hello'))]);

      await eventually(() => {
        expect(silent(listeners)).toEqual([]);
        return true;
      });
      for (const { peer } of listeners) {
        expect((await peer.listTools()).map(({ name }) => name)).toContain(`${slug}_newcomer`);
      }
    });
  });
}

async function listen(mcpUrls: string[], key: string): Promise<Listener[]> {
  const places = mcpUrls.flatMap((url) => sdkNames.map((sdk) => ({ url, sdk })));
  return Promise.all(
    places.map(async ({ url, sdk }) => {
      const listener = { name: `${sdk} at ${url}`, told: 0 } as Listener;
      listener.peer = await sdks[sdk].overHttp(url, {
        headers: bearer(key),
        onToolsChanged: () => listener.told++,
      });
      await listener.peer.listTools();
      return listener;
    }),
  );
}

function silent(listeners: Listener[]): string[] {
  return listeners.filter(({ told }) => told === 0).map(({ name }) => name);
}

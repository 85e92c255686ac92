import { describe, expect, it } from '@jest/globals';
import { defineTool, eventually, textResult } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { bearer } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { openToUsers } from '../identity/protected-integration.js';
import { BffApi } from './bff-api.js';
import { EventReader, namesIn } from './event-reader.js';

/** A change at an upstream reaches the open streams of those whom it concerns, at every replica. */
export function streamsUpdates(switchyard: () => Switchyard, people: () => People): void {
  describe('the stream of tool updates', () => {
    const undo = undoAfterAll();

    it('tells a change of the catalog within two seconds', async () => {
      const { upstream } = await connectFixture(switchyard(), 'news', undo);
      await openToUsers(switchyard(), 'news', undo);
      const token = await people().tokenOf('bob');
      const readers = await Promise.all(
        switchyard().mcpUrls.map((url) => EventReader.open(new URL('/api/bff/sse', url).href, bearer(token))),
      );
      for (const reader of readers) undo(() => reader.close());
      for (const reader of readers) {
        await reader.until('connected', ({ heartbeat_interval_ms: ms }) => ms === 30_000);
        await reader.until('tool_list', (data) => namesIn(data).includes('news_echo'));
      }
      // The upstream tells its own change by the live link, which must be there first.
      await eventually(
        () => upstream.sessionCount() > 0 || upstream.requests.includes('subscriptions/listen'),
        {
          timeoutMs: 15_000,
        },
      );
      const changedAt = Date.now();
      await upstream.setTools([...upstream.tools(), defineTool('newcomer', {}, () => textResult('hello'))]);
      for (const reader of readers) {
        const told = await reader.until('tool_list', (data) => namesIn(data).includes('news_newcomer'));
        expect(told.data).toMatchObject({ reason: 'update', count: namesIn(told.data).length });
        expect(told.at - changedAt).toBeLessThan(2_000);
      }
      const bff = new BffApi(switchyard().origin(), token);
      expect(await bff.names('?include_clients=news')).toContain('news_newcomer');
    });
  });
}

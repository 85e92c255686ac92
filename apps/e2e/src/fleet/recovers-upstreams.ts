import { describe, expect, it } from '@jest/globals';
import { type RecordedCall, spawnFixtureUpstream } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { type SdkName, sdkNames, sdks } from '../harness/mcp-peers.js';
import { bearer, textOf } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

type Case = { sdk: SdkName; era: 'legacy' | 'modern' };

const cases: Case[] = sdkNames.flatMap((sdk) => [
  { sdk, era: 'legacy' as const },
  { sdk, era: 'modern' as const },
]);

/** A restarted upstream, or one that forgot its sessions, costs the caller nothing. */
export function recoversUpstreams(switchyard: () => Switchyard): void {
  describe('an upstream that comes back', () => {
    const undo = undoAfterAll();

    it.each(cases)(
      'after a crash serves the next call of the same client ($sdk, upstream $era)',
      async ({ sdk, era }) => {
        const { admin, mcpUrl } = switchyard();
        const slug = `crashing-${era}-${sdk.slice(4, 5)}`;
        const upstream = await spawnFixtureUpstream(['--era', era]);
        undo(() => upstream.kill());
        const { id } = await admin.connect(slug, upstream.url);
        undo(() => admin.send('DELETE', `/api/integrations/${id}`));
        const { key } = await admin.makeKey({ [slug]: ['*'] });
        const peer = await sdks[sdk].overHttp(mcpUrl, { headers: bearer(key) });
        undo(() => peer.close());
        expect(textOf(await peer.callTool(`${slug}_count-side-effect`, { id: 'before' }))).toBe(
          'Done: before',
        );

        await upstream.kill();
        const again = await spawnFixtureUpstream(['--era', era, '--port', String(upstream.port)]);
        undo(() => again.kill());

        expect(textOf(await peer.callTool(`${slug}_count-side-effect`, { id: 'after' }))).toBe('Done: after');
        expect(textOf(await peer.callTool(`${slug}_echo`, { message: 'again' }))).toBe('Echo: again');
        const seen = (await again.control('calls')) as RecordedCall[];
        expect(seen.map((call) => call.arguments['id'])).toEqual(['after']);
      },
    );

    it.each([404, 400] as const)(
      'without its sessions (%d) serves the next call, once',
      async (lostSessionStatus) => {
        const slug = `forgetful-${lostSessionStatus}`;
        const { upstream, key } = await connectFixture(switchyard(), slug, undo, {
          upstream: { era: 'legacy', lostSessionStatus },
        });
        const peer = await sdks['SDK 1.x'].overHttp(switchyard().mcpUrl, { headers: bearer(key) });
        undo(() => peer.close());
        await peer.callTool(`${slug}_count-side-effect`, { id: 'before' });

        await upstream.forgetSessions();

        expect(textOf(await peer.callTool(`${slug}_count-side-effect`, { id: 'after' }))).toBe('Done: after');
        expect(upstream.callsOf('count-side-effect').map((call) => call.arguments['id'])).toEqual([
          'before',
          'after',
        ]);
      },
    );
  });
}

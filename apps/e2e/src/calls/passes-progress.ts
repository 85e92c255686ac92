import { describe, expect, it } from '@jest/globals';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { sdkNames, sdks } from '../harness/mcp-peers.js';
import { bearer, textOf } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

const cases = sdkNames.flatMap((sdk) => (['legacy', 'modern'] as const).map((era) => ({ sdk, era })));

export function passesProgress(switchyard: () => Switchyard): void {
  describe('progress', () => {
    const undo = undoAfterAll();

    it.each(cases)(
      'of a $era upstream reaches an $sdk client, in order, before the result',
      async ({ sdk, era }) => {
        const slug = `progress-${era}-${sdk.slice(4, 5)}`;
        const { key } = await connectFixture(switchyard(), slug, undo, { upstream: { era } });
        const peer = await sdks[sdk].overHttp(switchyard().mcpUrl, { headers: bearer(key) });
        undo(() => peer.close());
        const steps: number[] = [];
        const result = await peer.callTool(
          `${slug}_slow`,
          { ms: 300, steps: 3 },
          { onProgress: ({ progress }) => steps.push(progress) },
        );
        expect(textOf(result)).toBe('Slept');
        expect(steps).toEqual([1, 2, 3]);
      },
    );
  });
}

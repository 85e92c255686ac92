import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, stdioFixturePath } from '@switchyard/testing';
import { undoAfterAll } from '../harness/connected-fixture.js';
import { callTool, textOf } from '../harness/mcp-rpc.js';
import { ancestorsOf, processTable } from '../harness/process-table.js';
import type { Switchyard } from '../harness/switchyard.js';

const slug = 'child';
const mark = `--e2e-of-process-${process.pid}`;

/** The operator's permission for the child of these tests; the mark tells it from others. */
export const stdioFixtureEntry = {
  name: 'fixture',
  command: process.execPath,
  args: [stdioFixturePath(), mark],
};

/** A stdio server has one process in the whole fleet. */
export function keepsOneChild(switchyard: () => Switchyard): void {
  describe('a stdio server', () => {
    const undo = undoAfterAll();
    let key: string;

    beforeAll(async () => {
      const { admin } = switchyard();
      const transport = { type: 'stdio', command: 'fixture', args: [] };
      const { id } = await admin.connect(slug, '', { transport });
      undo(() => admin.send('DELETE', `/api/integrations/${id}`));
      ({ key } = await admin.makeKey({ [slug]: ['*'] }));
    });

    const pidOverEachGateway = async (): Promise<number[]> =>
      Promise.all(
        switchyard().mcpUrls.map(async (url) =>
          Number(textOf((await callTool(url, key, { name: `${slug}_pid` })).body.result)),
        ),
      );

    it('runs once, whichever gateway and worker a call goes through', async () => {
      const rounds = await Promise.all(Array.from({ length: 10 }, pidOverEachGateway));
      expect(new Set(rounds.flat())).toEqual(new Set(childPids()));
      expect(childPids()).toHaveLength(1);
    });

    it('runs once again, elsewhere, when its owner is killed', async () => {
      const [child] = childPids();
      const owner = ownerOf(child, switchyard());
      let mostAtOnce = 0;
      switchyard().kill(owner);

      const successor = await eventually(
        async () => {
          mostAtOnce = Math.max(mostAtOnce, childPids().length);
          const [pid] = await pidOverEachGateway();
          return pid !== undefined && Number.isInteger(pid) && pid;
        },
        { timeoutMs: 40_000 },
      );
      expect(successor).not.toBe(child);
      expect(childPids()).toEqual([successor]);
      expect(ownerOf(successor, switchyard())).not.toBe(owner);
      expect(mostAtOnce).toBeLessThanOrEqual(1);
    });

    it('ends with its registration', async () => {
      const found = (await switchyard().admin.integrations()).find((one) => one.slug === slug);
      await switchyard().admin.must('DELETE', `/api/integrations/${found?.id}`);
      await eventually(() => childPids().length === 0);
    });
  });
}

function childPids(): number[] {
  return processTable()
    .filter(({ argv }) => argv[1] === stdioFixturePath() && argv.includes(mark))
    .map(({ pid }) => pid);
}

/** The dispatch worker above the child. */
function ownerOf(child: number | undefined, switchyard: Switchyard): number {
  const above = ancestorsOf(child ?? 0);
  const owner = switchyard.dev.pids.dispatch.find((pid) => above.includes(pid));
  if (owner === undefined) throw new Error(`no dispatch worker is above ${child}`);
  return owner;
}

import { describe, expect, it } from '@jest/globals';
import { undoAfterAll } from '../harness/connected-fixture.js';
import { inParallel } from '../harness/http.js';
import { bearer, callTool, toolNames } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { protectIntegration, untilListed, type Whoami } from './protected-integration.js';

/** Two users of one integration, at the same time, with the same JSON-RPC ids. */
export function keepsUsersApart(switchyard: () => Switchyard, people: () => People): void {
  describe('two users of one integration', () => {
    const undo = undoAfterAll();

    it('get each their own data, in 200 calls at once', async () => {
      const { integration } = await protectIntegration(switchyard(), 'apart', undo);
      const users = ['bob', 'carol'] as const;
      const tokens = await Promise.all(users.map((user) => people().tokenOf(user)));
      for (const user of users) expect((await people().connect(user, integration.id)).status).toBe(200);
      await untilListed(() => toolNames(switchyard().mcpUrl, bearer(tokens[1] as string)), 'apart_whoami');
      await Promise.all(
        users.map((user, at) =>
          callTool(switchyard().mcpUrl, tokens[at] as string, {
            name: 'apart_add_note',
            arguments: { text: `of ${user}` },
          }),
        ),
      );
      const calls = Array.from({ length: 200 }, (_, at) => at);
      const answers = await inParallel(calls, 40, async (at) => {
        const name = at % 4 < 2 ? 'apart_whoami' : 'apart_list_notes';
        const { body } = await callTool(switchyard().mcpUrl, tokens[at % 2] as string, { name, id: at >> 1 });
        return body.result?.structuredContent as (Whoami & { notes?: string[] }) | undefined;
      });
      answers.forEach((answer, at) => {
        const user = users[at % 2];
        expect(at % 4 < 2 ? answer?.sub : answer?.notes).toEqual(at % 4 < 2 ? user : [`of ${user}`]);
      });
    });

    it('cannot see or end each other’s connection', async () => {
      const { integration } = await protectIntegration(switchyard(), 'private', undo);
      await people().connect('bob', integration.id);
      const [bob, carol] = await Promise.all(['bob', 'carol'].map((user) => people().tokenOf(user)));
      const of = async (token: string | undefined) => {
        const answer = await fetch(`${switchyard().origin()}/api/credentials`, {
          headers: bearer(token ?? ''),
        });
        return ((await answer.json()) as { items: { id: string; integration_id: string }[] }).items.filter(
          ({ integration_id }) => integration_id === integration.id,
        );
      };
      const [mine] = await of(bob);
      expect(mine).toMatchObject({ state: 'active' });
      expect(await of(carol)).toEqual([]);
      const path = `${switchyard().origin()}/api/credentials/${mine?.id}`;
      for (const method of ['GET', 'DELETE'])
        expect((await fetch(path, { method, headers: bearer(carol ?? '') })).status).toBe(404);
      expect((await fetch(path, { method: 'DELETE', headers: bearer(bob ?? '') })).ok).toBe(true);
      expect(await of(bob)).toEqual([]);
    });
  });
}

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import type { VirtualKey } from '../harness/admin-api.js';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { bearer } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { Faces, type Visitor } from './faces.js';
import { type PlannedCaller, Planning } from './planning.js';
import { type Random, randomRules, type Rules, seeded } from './random-rules.js';

const slugs = ['alpha', 'beta', 'gamma-ray'];
const toolset = 'agreed';
const seeds = Array.from({ length: 20 }, (_, at) => at + 1);
/** Long enough for a busy machine; that changes take two seconds has a test of its own. */
const settleMs = 15_000;

const claimsOf: Record<string, Record<string, unknown>> = {
  bob: { department: 'sales', level: 3, org: { teams: ['day'] }, roles: [] },
  carol: { department: 'ops', org: { teams: ['night'] }, roles: ['ops'] },
};

/** For any caller, filter and rules, every door shows the same tools, and none lets through what it does not show. */
export function facesAgree(
  switchyard: () => Switchyard,
  people: () => People,
  databaseUrl: () => string,
): void {
  describe('the faces of two gateways', () => {
    const undo = undoAfterAll();
    let planning: Planning;
    let key: VirtualKey;
    let toolsetId: string;
    let policyIds: string[] = [];
    /** How many tools each visitor saw in each round: what is always empty would agree on anything. */
    const counts = new Map<string, number[]>();
    const visitors = new Map<string, { visitor: Visitor; planned: PlannedCaller }>();
    const admin = () => switchyard().admin;

    beforeAll(async () => {
      for (const slug of slugs) await connectFixture(switchyard(), slug, undo);
      planning = new Planning(databaseUrl());
      await planning.start();
      key = await admin().makeKey({});
      const made = await admin().must<{ id: string }>('POST', '/api/toolsets', {
        slug: toolset,
        name: 'Agreed',
        virtual_key_ids: [key.id],
        roles: ['ops'],
      });
      toolsetId = made.id;
      visitors.set('a key', { visitor: { headers: bearer(key.key), isUser: false }, planned: key });
      for (const [name, claims] of Object.entries(claimsOf)) {
        const headers = bearer(await people().tokenOf(name, { claims, ttlSeconds: 3_000 }));
        await eventually(
          async () =>
            (await new Faces(switchyard().origin(), { headers, isUser: true }).bff(undefined)) !== null,
        );
        const roles = claims['roles'] as string[];
        const planned = { userId: await people().idOf(name), roles, claims };
        visitors.set(name, { visitor: { headers, isUser: true }, planned });
      }
      for (const name of ['a key', 'carol']) {
        const { visitor, planned } = visitors.get(name) as { visitor: Visitor; planned: PlannedCaller };
        visitors.set(`${name} at a toolset`, { visitor: { ...visitor, toolset }, planned });
      }
    }, 120_000);
    afterAll(() => planning?.close());

    const apply = async (rules: Rules): Promise<void> => {
      for (const id of policyIds) await admin().must('DELETE', `/api/policies/${id}`);
      policyIds = [];
      for (const policy of rules.policies)
        policyIds.push((await admin().must<{ id: string }>('POST', '/api/policies', policy)).id);
      await admin().must('PATCH', `/api/virtual-keys/${key.id}`, { mcp_configs: rules.keyConfigs });
      await admin().must('PATCH', `/api/toolsets/${toolsetId}`, rules.toolset);
    };

    const origins = () => switchyard().mcpUrls.map((url) => new URL(url).origin);

    const listsAgree = async (name: string, rules: Rules): Promise<string[]> => {
      const { visitor, planned } = visitors.get(name) as { visitor: Visitor; planned: PlannedCaller };
      const at = visitor.toolset ? { toolset: visitor.toolset } : {};
      const expected = await planning.names(planned, 'mcp', { ...at, filter: rules.filter });
      for (const origin of origins()) {
        const faces = new Faces(origin, visitor);
        await eventually(
          async () => {
            expect(await faces.mcp(rules.filter)).toEqual(expected);
            if (!visitor.toolset) expect(await faces.chat(rules.filter)).toEqual(expected);
            if (visitor.isUser && !visitor.toolset) expect(await faces.bff(rules.filter)).toEqual(expected);
            return true;
          },
          { timeoutMs: settleMs, intervalMs: 100 },
        );
      }
      return expected;
    };

    const callsAgree = async (name: string, rules: Rules, random: Random): Promise<void> => {
      const { visitor, planned } = visitors.get(name) as { visitor: Visitor; planned: PlannedCaller };
      const at = visitor.toolset ? { toolset: visitor.toolset } : {};
      const shown = new Set(await planning.names(planned, 'mcp', { ...at, filter: rules.filter }));
      const unfiltered = new Set(await planning.names(planned, 'async_api'));
      const faces = new Faces(random.pick(origins()), visitor);
      for (const tool of everyName(shown)) {
        expect([tool, await faces.reachesByMcp(tool, rules.filter)]).toEqual([tool, shown.has(tool)]);
        if (visitor.toolset) continue;
        expect([tool, await faces.reachesByAsync(tool)]).toEqual([tool, unfiltered.has(tool)]);
        if (visitor.isUser)
          expect([tool, await faces.reachesByBff({ tool_id: tool }, rules.filter)]).toEqual([
            tool,
            shown.has(tool),
          ]);
      }
    };

    it.each(seeds)('agree on lists and calls under random rules (seed %i)', async (seed) => {
      const random = seeded(seed);
      const rules = randomRules(random, slugs);
      await apply(rules);
      for (const name of visitors.keys()) {
        const { length } = await listsAgree(name, rules);
        counts.set(name, [...(counts.get(name) ?? []), length]);
        await callsAgree(name, rules, random);
      }
    });

    it('have agreed on much and on little', () => {
      for (const lengths of counts.values()) {
        expect(new Set(lengths).size).toBeGreaterThan(4);
        expect(lengths).toContain(0);
      }
      expect(counts.size).toBe(visitors.size);
    });
  });
}

/** Safe tools that answer at once, by every name that a toolset may give them, and all that were shown. */
function everyName(shown: ReadonlySet<string>): string[] {
  const usual = slugs.flatMap((slug) => [
    `${slug}_echo`,
    `${slug}_add`,
    `say-${slug}`,
    `${slug}_say-${slug}`,
  ]);
  const quick = [...shown].filter((name) => /echo|add|safe-read|say-/.test(name));
  return [...new Set([...usual, 'echo', 'add', ...quick])];
}

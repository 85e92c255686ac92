import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { bearer } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { Faces } from './faces.js';

const limitMs = 2_000;
const slug = 'moving';

/** What an admin changes counts at every replica within two seconds, for tokens that were issued before. */
export function changesReachEveryone(switchyard: () => Switchyard, people: () => People): void {
  describe('a change of what a user may do', () => {
    const undo = undoAfterAll();
    let headers: Record<string, string>;
    let policyId: string;
    const admin = () => switchyard().admin;

    beforeAll(async () => {
      await connectFixture(switchyard(), slug, undo);
      const claims = { department: 'night watch' };
      headers = bearer(await people().tokenOf('carol', { claims, ttlSeconds: 3_000 }));
    }, 60_000);
    afterAll(async () => {
      if (policyId) await admin().send('DELETE', `/api/policies/${policyId}`);
    });

    /** Both faces of both gateways, and how long they took. */
    const everywhere = async (expected: string[]): Promise<number> => {
      const since = Date.now();
      const seen = async (read: () => Promise<string[]>) =>
        eventually(
          async () =>
            expect((await read()).filter((name) => name.startsWith(slug))).toEqual(expected) ?? true,
          {
            intervalMs: 20,
          },
        );
      await Promise.all(
        switchyard().mcpUrls.flatMap((url) => {
          const faces = new Faces(new URL(url).origin, { headers, isUser: true });
          return [seen(() => faces.mcp(undefined)), seen(() => faces.bff(undefined))];
        }),
      );
      return Date.now() - since;
    };

    it('counts everywhere within two seconds, by claims that no policy asked about before', async () => {
      await everywhere([]);
      const made = await admin().must<{ id: string }>('POST', '/api/policies', {
        name: 'the night watch',
        matchers: [{ path: 'department', operator: 'EQUALS', value: 'night watch' }],
        mcp_configs: [{ mcp_client_name: slug, tools_to_execute: ['echo'] }],
      });
      policyId = made.id;
      expect(await everywhere([`${slug}_echo`])).toBeLessThan(limitMs);
      const change = { matchers: [{ path: 'department', operator: 'EQUALS', value: 'day' }] };
      await admin().must('PATCH', `/api/policies/${policyId}`, change);
      expect(await everywhere([])).toBeLessThan(limitMs);
      const faces = new Faces(switchyard().origin(), { headers, isUser: true });
      expect(await faces.reachesByMcp(`${slug}_echo`, undefined)).toBe(false);
      expect(await faces.reachesByBff({ tool_id: `${slug}_echo` }, undefined)).toBe(false);
    });
  });
}

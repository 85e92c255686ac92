import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FixtureUpstream, startConformanceUpstream } from '@switchyard/testing';
import { type KeyProxy, startKeyProxy } from './conformance/key-proxy.js';
import { runSuite, type ScenarioResult, type SuiteResult } from './conformance/run-suite.js';
import { Switchyard } from './harness/switchyard.js';

/** Each revision's suite, before an upstream that speaks that revision. */
const revisions = [
  { revision: '2025-11-25', slug: 'handshake', era: 'legacy' },
  { revision: '2026-07-28', slug: 'stateless', era: 'modern' },
] as const;

/** What the gateway checks by itself, beyond what the suite scores. */
const beyond = {
  '2025-11-25': [],
  '2026-07-28': ['http-header-validation', 'http-custom-header-server-validation'],
};

describe('the MCP conformance suite, at a toolset that leaves names as they are', () => {
  const upstreams: FixtureUpstream[] = [];
  let switchyard: Switchyard;
  let proxy: KeyProxy;
  beforeAll(async () => {
    switchyard = await Switchyard.start();
    const { admin } = switchyard;
    const slugs = revisions.map(({ slug }) => slug);
    const key = await admin.makeKey(Object.fromEntries(slugs.map((slug) => [slug, ['*']])));
    for (const { slug, era } of revisions) {
      const upstream = await startConformanceUpstream({ era, prefix: 'test_' });
      upstreams.push(upstream);
      await admin.connect(slug, upstream.url);
      await admin.must('POST', '/api/toolsets', {
        ...{ slug, name: slug, prefix: false, virtual_key_ids: [key.id] },
        mcp_configs: [{ mcp_client_name: slug, tools_to_execute: ['*'] }],
      });
    }
    proxy = await startKeyProxy(new URL(switchyard.mcpUrl).origin, key.key);
  }, 180_000);
  afterAll(async () => {
    await proxy?.close();
    await switchyard?.stop();
    for (const upstream of upstreams) await upstream.close();
  }, 60_000);

  describe.each(revisions)('of $revision', ({ revision, slug }) => {
    let direct: SuiteResult;
    let through: SuiteResult;
    beforeAll(async () => {
      const args = ['--requirements', revision];
      direct = await runSuite(upstreams[revisions.findIndex((one) => one.slug === slug)]?.url ?? '', args);
      // The suite gives a change of the upstream's tools 1.5 s to come through, which a busy machine may not keep.
      for (let run = 1; run <= 3; run++) {
        through = await runSuite(`${proxy.origin}/mcp/${slug}`, args);
        if (through.exitCode === 0) return;
      }
    }, 400_000);

    it('passes every scored scenario', () => {
      if (through.exitCode !== 0) throw new Error(through.output.slice(-8_000));
      expect(through.scenarios.length).toBeGreaterThan(29);
    });

    it('passes each scenario that the upstream passes by itself, and fails none that it passes', () => {
      expect(direct.exitCode).toBe(0);
      expect(namesOf(direct.scenarios)).toEqual(namesOf(through.scenarios));
      const gained = through.scenarios.filter(({ name, passed }) => passed && !isPassed(direct, name));
      const lost = direct.scenarios.filter(({ name, passed }) => passed && !isPassed(through, name));
      expect(lost).toEqual([]);
      expect(gained.map(({ name }) => name).sort()).toEqual(
        beyond[revision].filter((name) => !isPassed(direct, name)),
      );
    });
  });
});

function namesOf(scenarios: readonly ScenarioResult[]): string[] {
  return scenarios.map(({ name }) => name).sort();
}

function isPassed({ scenarios }: SuiteResult, name: string): boolean {
  return scenarios.some((scenario) => scenario.name === name && scenario.passed);
}

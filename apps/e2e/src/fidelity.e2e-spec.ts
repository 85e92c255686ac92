import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { type FixtureUpstream, startAskingUpstream } from '@switchyard/testing';
import type { Era } from './fidelity/asking-clients.js';
import { keepsQuestionsApart } from './fidelity/keeps-questions-apart.js';
import { outlivesGateways } from './fidelity/outlives-gateways.js';
import { passesFeatures } from './fidelity/passes-features.js';
import { Switchyard } from './harness/switchyard.js';

jest.setTimeout(60_000);

describe('the whole of MCP through two gateways and two workers', () => {
  const upstreams: FixtureUpstream[] = [];
  let switchyard: Switchyard;
  let key: string;

  beforeAll(async () => {
    switchyard = await Switchyard.start({ scale: { gateway: 2, dispatch: 2 } });
    for (const era of ['legacy', 'modern'] as const) {
      const upstream = await startAskingUpstream({ era });
      upstreams.push(upstream);
      await switchyard.admin.connect(era, upstream.url);
    }
    ({ key } = await switchyard.admin.makeKey({ legacy: ['*'], modern: ['*'] }));
  }, 150_000);
  afterAll(async () => {
    await switchyard?.stop();
    for (const upstream of upstreams) await upstream.close();
  }, 60_000);

  const server = (era: Era) => ({ slug: era, key });
  keepsQuestionsApart(() => switchyard, server);
  passesFeatures(() => switchyard, server);
  outlivesGateways(
    () => switchyard,
    () => server('legacy'),
  );
});

import { jest } from '@jest/globals';
import { agentsUnderTest } from './agents/agents-under-test.js';
import { keepsSchedules } from './agents/keeps-schedules.js';
import { survivesKills } from './agents/survives-kills.js';
import { onOneSwitchyard } from './harness/on-both-queues.js';

jest.setTimeout(180_000);

const options = {
  scale: { 'agent-runner': 2, dispatch: 2 },
  env: { AGENT_RUNNER_LEASE_MS: '2000', AGENT_RUNNER_CONCURRENCY: '16' },
};

onOneSwitchyard('two agent runners and two workers', options, (switchyard) => {
  const agents = agentsUnderTest(switchyard);
  survivesKills(agents);
  keepsSchedules(agents);
});

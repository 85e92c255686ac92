import { jest } from '@jest/globals';
import { agentsUnderTest } from './agents/agents-under-test.js';
import { decidesOnce } from './agents/decides-once.js';
import { keepsNeighboursOut } from './agents/keeps-neighbours-out.js';
import { obeysNobodyElse } from './agents/obeys-nobody-else.js';
import { servesFourCallers } from './agents/serves-four-callers.js';
import { takesDeliveries } from './agents/takes-deliveries.js';
import { onBothQueues } from './harness/on-both-queues.js';

jest.setTimeout(90_000);

onBothQueues('two runners', { scale: { 'agent-runner': 2 } }, ({ switchyard }) => {
  const agents = agentsUnderTest(switchyard);
  servesFourCallers(agents);
  decidesOnce(agents);
  obeysNobodyElse(agents);
  takesDeliveries(agents);
  keepsNeighboursOut(agents);
});

import { jest } from '@jest/globals';
import { keepsAcceptedCalls } from './durability/keeps-accepted-calls.js';
import { keepsLanesApart } from './durability/keeps-lanes-apart.js';
import { onBothQueues } from './harness/on-both-queues.js';

jest.setTimeout(240_000);

onBothQueues('many calls', {}, (system) => {
  keepsAcceptedCalls(system);
  keepsLanesApart(system);
});

import { jest } from '@jest/globals';
import { cancelsCalls } from './calls/cancels-calls.js';
import { importsServers } from './calls/imports-servers.js';
import { keepsToGrants } from './calls/keeps-to-grants.js';
import { obeysLimits } from './calls/obeys-limits.js';
import { passesProgress } from './calls/passes-progress.js';
import { refusesRequests } from './calls/refuses-requests.js';
import { refusesUpstreams } from './calls/refuses-upstreams.js';
import { repeatsNothing } from './calls/repeats-nothing.js';
import { stopsCalling } from './calls/stops-calling.js';
import { survivesTools } from './calls/survives-tools.js';
import { onBothQueues } from './harness/on-both-queues.js';

jest.setTimeout(60_000);

onBothQueues('one Switchyard', {}, ({ switchyard }) => {
  keepsToGrants(switchyard);
  refusesRequests(switchyard);
  refusesUpstreams(switchyard);
  survivesTools(switchyard);
  obeysLimits(switchyard);
  stopsCalling(switchyard);
  repeatsNothing(switchyard);
  cancelsCalls(switchyard);
  passesProgress(switchyard);
  importsServers(switchyard);
});

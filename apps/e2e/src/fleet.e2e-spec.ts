import { jest } from '@jest/globals';
import { keepsOneChild, stdioFixtureEntry } from './fleet/keeps-one-child.js';
import { keepsTenantsApart } from './fleet/keeps-tenants-apart.js';
import { recoversUpstreams } from './fleet/recovers-upstreams.js';
import { revokesKeys } from './fleet/revokes-keys.js';
import { survivesWorkerCrash } from './fleet/survives-worker-crash.js';
import { tellsListChanges } from './fleet/tells-list-changes.js';
import { onBothQueues } from './harness/on-both-queues.js';

jest.setTimeout(60_000);

const options = { scale: { dispatch: 2, gateway: 2 }, allowlist: [stdioFixtureEntry] };

onBothQueues('two gateways and two dispatch workers', options, ({ switchyard }) => {
  recoversUpstreams(switchyard);
  tellsListChanges(switchyard);
  revokesKeys(switchyard);
  keepsTenantsApart(switchyard);
  keepsOneChild(switchyard);
  survivesWorkerCrash(switchyard);
});

import { jest } from '@jest/globals';
import { refusesBodies } from './bad-input/refuses-bodies.js';
import { refusesPrivateAddresses } from './bad-input/refuses-private-addresses.js';
import { refusesRegistrations } from './bad-input/refuses-registrations.js';
import { onOneSwitchyard } from './harness/on-both-queues.js';

jest.setTimeout(60_000);

const strict = { SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'false' };

// What is refused before anything is queued; what the queue takes part in stands in `calls.e2e-spec.ts`.
onOneSwitchyard('one Switchyard', { env: { GATEWAY_BODY_TIMEOUT: '1s' } }, (switchyard) => {
  refusesBodies(switchyard);
  refusesRegistrations(switchyard);
});

onOneSwitchyard('without the development setting', { env: strict }, refusesPrivateAddresses);

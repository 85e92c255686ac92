import { afterAll, beforeAll, jest } from '@jest/globals';
import { onBothQueues } from './harness/on-both-queues.js';
import { People } from './harness/people.js';
import { asksToConnect } from './identity/asks-to-connect.js';
import { keepsUsersApart } from './identity/keeps-users-apart.js';
import { refreshesOnce } from './identity/refreshes-once.js';
import { refusesAttacks } from './identity/refuses-attacks.js';
import { runsAsWhom } from './identity/runs-as-whom.js';

jest.setTimeout(90_000);

const options = { scale: { dispatch: 3, 'token-broker': 2 } };

onBothQueues('three dispatch workers and two token brokers', options, ({ switchyard }) => {
  let people: People;
  beforeAll(async () => {
    people = await People.start(switchyard());
  });
  afterAll(() => people?.close());
  runsAsWhom(switchyard, () => people);
  asksToConnect(switchyard, () => people);
  keepsUsersApart(switchyard, () => people);
  refreshesOnce(switchyard, () => people);
  refusesAttacks(switchyard, () => people);
});

import { afterAll, beforeAll, jest } from '@jest/globals';
import { callsAsTheUser } from './bff/calls-as-the-user.js';
import { followsClaims } from './bff/follows-claims.js';
import { hostsAnAgent } from './bff/hosts-an-agent.js';
import { obeysAdmins } from './bff/obeys-admins.js';
import { streamsUpdates } from './bff/streams-updates.js';
import { onOneSwitchyard } from './harness/on-both-queues.js';
import { People } from './harness/people.js';

jest.setTimeout(90_000);

onOneSwitchyard('the BFF API at two gateways', { scale: { gateway: 2 } }, (switchyard) => {
  let people: People;
  beforeAll(async () => {
    people = await People.start(switchyard());
  });
  afterAll(() => people?.close());
  followsClaims(switchyard, () => people);
  callsAsTheUser(switchyard, () => people);
  streamsUpdates(switchyard, () => people);
  hostsAnAgent(switchyard, () => people);
  obeysAdmins(switchyard);
});

import { afterAll, beforeAll, jest } from '@jest/globals';
import { asksWithinTheCall } from './approvals/asks-within-the-call.js';
import { goesOnOnceApproved } from './approvals/goes-on-once-approved.js';
import { waitsForAPerson } from './approvals/waits-for-a-person.js';
import { onOneSwitchyard } from './harness/on-both-queues.js';
import { People } from './harness/people.js';

jest.setTimeout(90_000);

const scale = { gateway: 2, dispatch: 2 };

onOneSwitchyard('approvals at two gateways and two workers', { scale }, (switchyard) => {
  let people: People;
  beforeAll(async () => {
    people = await People.start(switchyard());
  });
  afterAll(() => people?.close());
  waitsForAPerson(switchyard, () => people);
  goesOnOnceApproved(switchyard);
  asksWithinTheCall(switchyard, () => people);
});

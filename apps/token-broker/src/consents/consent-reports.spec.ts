import { expect, it } from '@jest/globals';
import type { AuditLogService } from '../audit/audit-log.service.js';
import type { UserCaller } from '../callers/caller.js';
import { ConsentProblem } from './consent-problem.js';
import { ConsentReportsService } from './consent-reports.service.js';

function user(userId: string): UserCaller {
  const rights = { isAdmin: false, isAuditor: false };
  return { kind: 'user', orgId: 'organization', userId, name: null, sessionId: 'session', ...rights };
}

it('tells a few of many refusals of one user, and still those of others and of nobody', async () => {
  const told: (string | null)[] = [];
  const note = ({ userId }: { userId: string | null }) => Promise.resolve(void told.push(userId));
  const reports = new ConsentReportsService({ note } as unknown as AuditLogService);
  for (let n = 0; n < 100; n++) await reports.refused(user('mallory'), new ConsentProblem('other_user'));
  // Twenty, or twice that where a window ends meanwhile.
  expect(told.length).toBeGreaterThanOrEqual(20);
  expect(told.length).toBeLessThanOrEqual(40);
  told.length = 0;
  for (const who of [user('alice'), null]) await reports.refused(who, new ConsentProblem('other_user'));
  expect(told).toEqual(['alice', null]);
});

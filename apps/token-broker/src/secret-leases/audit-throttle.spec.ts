import { describe, expect, it } from '@jest/globals';
import { AuditThrottle } from './audit-throttle.js';

describe('the throttle of the audit log', () => {
  it('lets the first pass, and then one per interval with all that happened since', () => {
    const throttle = new AuditThrottle(1_000);
    expect([0, 1, 999, 1_000, 1_001].map((at) => throttle.count('a', at))).toEqual([
      1,
      undefined,
      undefined,
      3,
      undefined,
    ]);
    expect(throttle.count('b', 1_001)).toBe(1);
  });

  it('says what could not be said', () => {
    const throttle = new AuditThrottle(1_000);
    throttle.count('a', 0);
    throttle.unsay('a');
    expect(throttle.count('a', 1)).toBe(1);
  });
});

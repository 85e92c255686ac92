import { isDeepStrictEqual } from 'node:util';
import type { Standing } from './next-standing.js';

/**
 * Whether others should hear of the change. An integration that fails every ten seconds for the same reason changes
 * its row each time, but nothing that anybody would decide differently.
 */
export function isVisibleChange(before: Standing, after: Standing): boolean {
  return before.state !== after.state || !isDeepStrictEqual(summary(before), summary(after));
}

function summary({ lastFailure }: Standing) {
  return (
    lastFailure && {
      stage: lastFailure.stage,
      code: lastFailure.code,
      message: lastFailure.message,
      since: lastFailure.since,
    }
  );
}

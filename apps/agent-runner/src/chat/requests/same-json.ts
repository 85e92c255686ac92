import { canonicalJson } from '@switchyard/queue';

/** Whether two JSON texts say the same, in whatever spelling. What is no JSON is the same as nothing. */
export function isSameJson(one: string, other: string): boolean {
  try {
    return canonicalJson(JSON.parse(one)) === canonicalJson(JSON.parse(other));
  } catch {
    return false;
  }
}

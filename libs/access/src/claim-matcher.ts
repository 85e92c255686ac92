import type { CallerContext } from '@switchyard/contracts';
import { leftOutClaims } from './claims.js';
import type { ClaimMatcher, ClaimOperator } from './grant-records.js';
import { maxMatchedLength, orNothing, wholeMatch } from './name-pattern.js';

type Claims = NonNullable<CallerContext['claims']>;
type Verdict = 'match' | 'no_match' | 'unknown';
type Compare = (claim: unknown) => boolean | 'unknown';

const compilers: Record<ClaimOperator, (value: unknown) => Compare> = {
  EQUALS: (value) => (claim) => isSame(claim, value),
  NOT_EQUALS: (value) => (claim) => !isSame(claim, value),
  CONTAINS: (value) => (claim) => contains(claim, value) === true,
  NOT_CONTAINS: (value) => (claim) => contains(claim, value) === false,
  MATCHES: (value) => matches(value),
  EXISTS: () => () => true,
  IN: (value) => (claim) => isIn(claim, value),
  NOT_IN: (value) => (claim) => Array.isArray(value) && !isIn(claim, value),
};

const compiled = new WeakMap<ClaimMatcher, Compare>();

/**
 * Asks a matcher about the caller's claims. A claim that the token does not hold never matches, whatever the operator;
 * of one that was too large to travel, or is too long for a pattern, nobody knows.
 */
export function judgeClaim(matcher: ClaimMatcher, claims: Claims | undefined): Verdict {
  if (!claims || matcher.path === leftOutClaims) return 'no_match';
  const left = claims[leftOutClaims];
  if (Array.isArray(left) && left.includes(matcher.path)) return 'unknown';
  const claim = Object.hasOwn(claims, matcher.path) ? claims[matcher.path] : undefined;
  if (claim === undefined || claim === null) return 'no_match';
  const is = compareBy(matcher)(claim);
  if (is === 'unknown') return 'unknown';
  return is ? 'match' : 'no_match';
}

function compareBy(matcher: ClaimMatcher): Compare {
  const known = compiled.get(matcher);
  if (known) return known;
  const compare = compilers[matcher.operator](matcher.value);
  compiled.set(matcher, compare);
  return compare;
}

/** Values of JSON; the order of an object's members means nothing. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), b as Record<string, unknown>];
  if (left.length !== Object.keys(right).length) return false;
  return left.every(([name, value]) => Object.hasOwn(right, name) && isSame(value, right[name]));
}

/** An element of a list, or a part of a text; undefined of what can hold neither. */
function contains(claim: unknown, value: unknown): boolean | undefined {
  if (Array.isArray(claim)) return claim.some((one) => isSame(one, value));
  return typeof claim === 'string' && typeof value === 'string' ? claim.includes(value) : undefined;
}

/** Of a claim that is a list, any of its elements. */
function isIn(claim: unknown, value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const given: unknown[] = Array.isArray(claim) ? claim : [claim];
  return given.some((one) => value.some((other) => isSame(one, other)));
}

function matches(pattern: unknown): Compare {
  if (typeof pattern !== 'string') return () => false;
  const regex = orNothing(() => wholeMatch(pattern));
  return (claim) => {
    const texts = (Array.isArray(claim) ? claim : [claim]).filter((one) => typeof one === 'string');
    if (texts.some((text) => regex.test(text))) return true;
    return texts.some((text) => text.length > maxMatchedLength) ? 'unknown' : false;
  };
}

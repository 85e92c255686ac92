import { setFlagsFromString } from 'node:v8';

// V8's own engine without backtracking: with the flag `l` a pattern either runs in linear time or does not compile.
setFlagsFromString('--enable-experimental-regexp-engine');

/** Needs the flag `u`, which the linear engine does not know, so it would mean something else there. */
const needsUnicode = /\\[pP]\{|\\u\{|[\u{10000}-\u{10FFFF}]/u;
/** Up to this length a tame pattern is quick in any engine. */
const maxTameTextLength = 5_000;

/** A pattern that might run for minutes: look-around, a back-reference, a Unicode class, nested repetition. */
export class NotLinear extends Error {}

/** What `linearRegExp` compiles to. */
export type LinearMatcher = { test(text: string): boolean };

/**
 * A vendor's `pattern`, to be run on a caller's text: made so that no text can make it run for long. Throws
 * `NotLinear`, or a SyntaxError for what is no pattern at all.
 */
export function linearRegExp(pattern: string): LinearMatcher {
  if (needsUnicode.test(pattern)) throw new NotLinear();
  try {
    return new RegExp(pattern, 'l');
  } catch (cause) {
    const ordinary = new RegExp(pattern);
    if (!isTame(pattern)) throw new NotLinear(undefined, { cause });
    return { test: (text) => text.length > maxTameTextLength || ordinary.test(text) };
  }
}

/**
 * The linear engine knows no `{n,m}` beyond 16, which is how vendors limit lengths. Where nothing but single
 * characters and classes repeats, and few of them do, backtracking costs no more than the square of the text.
 */
function isTame(pattern: string): boolean {
  if (/\\[1-9k]|\(\?[=!<]/.test(pattern)) return false;
  const skeleton = pattern.replaceAll(/\\./g, 'x').replaceAll(/\[[^\]]*\]/g, 'x');
  if (/\)[*+?{]|\|/.test(skeleton)) return false;
  const repetitions = skeleton.match(/[*+?]|\{\d+,\d*\}/g)?.length ?? 0;
  return repetitions + (skeleton.startsWith('^') ? 0 : 1) <= 2;
}

import { globTest } from './glob.js';
import { type LinearMatcher, linearRegExp } from './linear-regexp.js';

/** Longer texts are no names and no values that an admin wrote a pattern for. */
export const maxMatchedLength = 1_000;
const nothing: LinearMatcher = { test: () => false };

/**
 * Compiles a pattern over names: a glob (`*` any text, `?` one character), or `regex:` and a regular expression. Both
 * have to match the whole name. Throws where `linearRegExp` does.
 */
export function namePattern(pattern: string): LinearMatcher {
  const regex = regexOf(pattern);
  if (regex !== undefined) return wholeMatch(regex);
  const isMatch = globTest(pattern);
  return { test: (name) => name.length <= maxMatchedLength && isMatch(name) };
}

/** The regular expression of a pattern over names, or undefined of a glob. */
export function regexOf(pattern: string): string | undefined {
  return pattern.startsWith('regex:') ? pattern.slice('regex:'.length) : undefined;
}

/**
 * Compiles a regular expression that has to match the whole text, of 1,000 characters at most. Throws where
 * `linearRegExp` does.
 */
export function wholeMatch(regex: string): LinearMatcher {
  // Compiled by itself first: `a)|(b` must not close the group that makes it whole.
  linearRegExp(regex);
  const whole = linearRegExp(`^(?:${regex})$`);
  return { test: (text) => text.length <= maxMatchedLength && whole.test(text) };
}

/** `compile`, or what matches nothing where the pattern is none. Patterns are checked when they are saved. */
export function orNothing(compile: () => LinearMatcher): LinearMatcher {
  try {
    return compile();
  } catch {
    return nothing;
  }
}

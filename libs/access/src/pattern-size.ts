/** An escaped character, a class, a counted repetition, or any one character. */
const tokens = /\\.|\[(?:\\.|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[\s\S]/g;

/**
 * How large a regular expression is once its counted repetitions are written out: the linear engine's work for each
 * character of a text is no more than a multiple of it.
 */
export function patternSize(pattern: string): number {
  // The sizes of the groups that are open, each with that of its last part, which a repetition repeats.
  const open = [{ size: 0, last: 0 }];
  const add = (size: number) => {
    const top = open.at(-1);
    if (top) [top.size, top.last] = [top.size + size, size];
  };
  for (const [token] of pattern.matchAll(tokens)) {
    if (token === '(') open.push({ size: 0, last: 0 });
    else if (token === ')' && open.length > 1) add((open.pop()?.size ?? 0) + 1);
    else if (/^\{\d/.test(token)) add((open.at(-1)?.last ?? 0) * timesOf(token));
    else add(1);
  }
  return open.reduce((sum, { size }) => sum + size, 0);
}

function timesOf(repetition: string): number {
  return Math.max(...(repetition.match(/\d+/g) ?? []).map(Number));
}

const [star, question] = ['*'.charCodeAt(0), '?'.charCodeAt(0)];

/**
 * Compiles a glob that has to be the whole text: `*` stands for any text, `?` for one character. Only where it has both
 * can it take more steps than the text has characters: `isCostly`.
 */
export function globTest(glob: string): (text: string) => boolean {
  if (isCostly(glob)) return (text) => matchesAny(glob, text);
  if (!glob.includes('*')) return (text) => text.length === glob.length && matchesAny(glob, text);
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop() ?? '';
  return (text) => matchesParts(first, rest, last, text);
}

/** Whether it may try again and again: each time, up to the product of both lengths. */
export function isCostly(glob: string): boolean {
  return glob.includes('*') && glob.includes('?');
}

/** Of what is between two `*` the first place is as good as any. */
function matchesParts(first: string, between: readonly string[], last: string, text: string): boolean {
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of between) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= end;
}

function matchesAny(glob: string, text: string): boolean {
  let [inGlob, inText] = [0, 0];
  // Where to go on if what was tried last fails: after the last `*`, which then stands for one character more.
  let [againInGlob, againInText] = [-1, 0];
  while (inText < text.length) {
    const code = glob.charCodeAt(inGlob);
    if (code === star) [againInGlob, againInText] = [++inGlob, inText];
    else if (code === question || code === text.charCodeAt(inText))
      [inGlob, inText] = [inGlob + 1, inText + 1];
    else if (againInGlob !== -1) [inGlob, inText] = [againInGlob, ++againInText];
    else return false;
  }
  while (glob.charCodeAt(inGlob) === star) inGlob++;
  return inGlob === glob.length;
}

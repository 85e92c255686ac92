const [star, question] = ['*'.charCodeAt(0), '?'.charCodeAt(0)];

/** Whether a glob is the whole text: `*` stands for any text, `?` for one character. In no more steps than their product. */
export function matchesGlob(glob: string, text: string): boolean {
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

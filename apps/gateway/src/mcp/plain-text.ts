/** What nobody sees, or what changes how the rest is seen; of blanks all but space, and of ends of lines all but \n. */
const unseen = /[[\p{Default_Ignorable_Code_Point}\p{C}\p{Z}\uFFF9-\uFFFB\u2800]--[\n ]]/gv;

/** The text with everything invisible spelt out, so that who reads it decides about what is really there. */
export function plainText(text: string): string {
  return text.replaceAll(unseen, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

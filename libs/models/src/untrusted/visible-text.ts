/**
 * What Unicode itself calls ignorable (zero-width characters, bidirectional controls, tags, variation selectors,
 * fillers), annotation marks, and control characters but tab and line ends.
 */
const invisible = /[[\p{Default_Ignorable_Code_Point}\p{Cc}\uFFF9-\uFFFB]--[\t\n\r]]/gv;

/**
 * The text as a person sees it: what is invisible is left out, so that nothing hides from the reviewer that a model
 * would read (joiners of emoji and some scripts go too, which costs their look and not their meaning).
 */
export function visibleText(text: string): string {
  return text.replaceAll(invisible, '');
}

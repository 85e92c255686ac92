/** Tag characters, bidirectional controls, zero-width and other format characters; control characters but tab and line ends. */
const invisible =
  /[\u{E0000}-\u{E007F}\u{E0100}-\u{E01EF}\u202A-\u202E\u2066-\u2069\u200B-\u200F\u2060-\u2064\u206A-\u206F\uFEFF\u00AD\u061C\u180E\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/gu;

/**
 * The text as a person sees it: what is invisible is left out, so that nothing hides from the reviewer that a model
 * would read (joiners of emoji and some scripts go too, which costs their look and not their meaning).
 */
export function visibleText(text: string): string {
  return text.replaceAll(invisible, '');
}

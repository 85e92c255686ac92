/**
 * Blocks between an opening and a closing tag of one nonce are data that somebody else wrote
 * (`libs/models`, `frameUntrusted`): the demonstration model never takes its orders from there.
 */
const block = /<untrusted-data-([0-9a-f]+)(?:\s[^>]*)?>\n?([\s\S]*?)\n?<\/untrusted-data-\1>/g;

/** The text without what is framed as data. */
export function withoutData(text: string): string {
  return text.replaceAll(block, ' ');
}

/** What is framed as data, or the whole text where nothing is. */
export function dataWithin(text: string): string {
  const blocks = [...text.matchAll(block)].map(([, , data = '']) => data);
  return blocks.length > 0 ? blocks.join('\n') : text;
}

/**
 * Blocks between an opening and a closing tag of one nonce are data that somebody else wrote
 * (`libs/models`, `frameUntrusted`): the demonstration model never takes its orders from there.
 */
const tags = /<(\/?)untrusted-data-([0-9a-f]+)(?:\s[^<>]*)?>/g;

type Block = { readonly at: number; readonly from: number; readonly to: number; readonly end: number };

/** The text without what is framed as data. */
export function withoutData(text: string): string {
  const blocks = blocksOf(text);
  const starts = [0, ...blocks.map(({ end }) => end)];
  return starts.map((start, index) => text.slice(start, blocks[index]?.at)).join(' ');
}

/** What is framed as data, or the whole text where nothing is. */
export function dataWithin(text: string): string {
  const data = blocksOf(text).map(({ from, to }) =>
    text.slice(from, to).replace(/^\n/, '').replace(/\n$/, ''),
  );
  return data.length > 0 ? data.join('\n') : text;
}

/** Each opening tag with the next closing one of its nonce; from the back, so that no tag is looked for twice. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  const closings = new Map<string, { to: number; end: number }>();
  for (const { 0: tag, 1: slash, 2: nonce = '', index } of [...text.matchAll(tags)].reverse()) {
    const end = index + tag.length;
    const closing = closings.get(nonce);
    if (slash) closings.set(nonce, { to: index, end });
    else if (closing) blocks.push({ at: index, from: end, ...closing });
  }
  return outermost(blocks.reverse());
}

/** Those that do not begin within another. */
function outermost(blocks: readonly Block[]): Block[] {
  let reached = 0;
  return blocks.filter(({ at, end }) => {
    if (at < reached) return false;
    reached = end;
    return true;
  });
}

/** What one server says to clients of itself. */
export type ServerInstructions = { readonly slug: string; readonly instructions: string };

const maxBytesEach = 2_048;
const maxBytesInAll = 8_192;
/** Of what a vendor says, however long it is, more is not even looked at. */
const maxCharsRead = 4_096;
/** Less room than this holds no server's text. */
const leastBytes = 32;
const heading = 'Instructions of the servers behind this gateway. Each speaks of its own tools alone.';

/**
 * The instructions of all servers that the caller sees, each between tags with its name. They are vendors' texts: each is cut to
 * 2 kB and all of them to 8 kB, and none can pass for another's by tags of its own.
 */
export function joinInstructions(servers: readonly ServerInstructions[]): string | undefined {
  const parts: string[] = [];
  let left = maxBytesInAll - Buffer.byteLength(heading);
  for (const { slug, instructions } of servers) {
    if (left < leastBytes) break;
    const text = shortened(escaped(visible(instructions.slice(0, maxCharsRead)).trim()), maxBytesEach);
    const part = `<server name="${slug}">\n${text}\n</server>`;
    const size = Buffer.byteLength(part) + 2;
    if (text === '' || size > left) continue;
    left -= size;
    parts.push(part);
  }
  return parts.length > 0 ? [heading, ...parts].join('\n\n') : undefined;
}

/** A character that nobody sees would hide a tag from us, and not from a model. */
function visible(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|\p{Cf}|\p{Default_Ignorable_Code_Point}/gu, '');
}

/** Blanks are matched in one way only, so that many of them cost no more than they are. */
function escaped(text: string): string {
  return text.replace(/<(?=\s*(?:\/\s*)?server)/gi, '&lt;');
}

/** Cut between characters, with a mark that it was. */
function shortened(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const mark = '…';
  const kept = Buffer.from(text).subarray(0, maxBytes - Buffer.byteLength(mark));
  return `${new TextDecoder('utf-8').decode(kept, { stream: true })}${mark}`;
}

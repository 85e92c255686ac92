export type JsonLimits = { readonly maxDepth: number; readonly maxElements: number };

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;

/**
 * Why a JSON text is more than we parse, or undefined. Counts over the text before it is parsed: one request of 4 MiB
 * can hold a million values, which take hundreds of megabytes once they are objects.
 */
export function jsonExcess(text: string, limits: JsonLimits): string | undefined {
  let depth = 0;
  let elements = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
    } else if (isOpening(code)) {
      depth++;
      elements++;
    } else if (code === comma) {
      elements++;
    } else if (isClosing(code)) {
      depth--;
    }
    if (depth > limits.maxDepth) return `The JSON is nested deeper than ${limits.maxDepth} levels.`;
    if (elements > limits.maxElements) return `The JSON holds more than ${limits.maxElements} values.`;
  }
  return undefined;
}

/** The index of the closing quote, or of the text's end. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash) at++;
    else if (code === quote) return at;
  }
  return text.length;
}

function isOpening(code: number): boolean {
  return code === 0x7b || code === 0x5b;
}

function isClosing(code: number): boolean {
  return code === 0x7d || code === 0x5d;
}

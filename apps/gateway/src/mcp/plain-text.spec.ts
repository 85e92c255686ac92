import { describe, expect, it } from '@jest/globals';
import { plainText } from './plain-text.js';

describe('plain text', () => {
  it.each([
    ['tag characters', '\u{E0041}', '\\u{e0041}'],
    ['bidirectional controls', '\u202E', '\\u{202e}'],
    ['zero-width characters', '\u200B', '\\u{200b}'],
    ['variation selectors', '\uFE0F', '\\u{fe0f}'],
    ['fillers', '\u3164', '\\u{3164}'],
    ['blanks that are no space', '\u00A0', '\\u{a0}'],
    ['ends of lines that are none of ours', '\u2028', '\\u{2028}'],
    ['controls', '\u001B', '\\u{1b}'],
    ['private use', '\uE000', '\\u{e000}'],
    ['halves of a pair', '\uD800', '\\u{d800}'],
  ])('spells out %s', (_what, char, spelt) => {
    expect(plainText(`a${char}b`)).toBe(`a${spelt}b`);
  });

  it('keeps lines, spaces and every script', () => {
    const text = 'Grüße\n  добрый день 日本語 العربية नमस्ते 🙂 {"a": "<b>\\n"}';
    expect(plainText(text)).toBe(text);
  });
});

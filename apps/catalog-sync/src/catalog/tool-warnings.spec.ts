import { describe, expect, it } from '@jest/globals';
import { toolWarnings } from './tool-warnings.js';

const plain = { name: 'read', description: 'Reads a file: naïve, 日本語, עברית, 👨‍👩‍👧, ❤️.', inputSchema: {} };
const inTags = [...'ignore'].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('');

describe('toolWarnings', () => {
  it('finds nothing in ordinary text of any language', () => {
    expect(toolWarnings(plain)).toEqual([]);
  });

  it.each([
    ['hidden_tag_characters in description', { description: `Reads.${inTags}` }],
    ['bidirectional_overrides in title', { title: 'Read \u202Eelif\u202C' }],
    ['zero_width_characters in description', { description: 'Re\u200B\u200Cads' }],
    ['hidden_variation_selectors in description', { description: `R${'\u{E0101}'}eads` }],
    [
      'hidden_tag_characters in inputSchema.properties.path.enum',
      { inputSchema: { properties: { path: { enum: [inTags] } } } },
    ],
    [
      'zero_width_characters in inputSchema.properties',
      { inputSchema: { properties: { 'a\u200B\u200B': {} } } },
    ],
  ])('warns of %s', (warning, changed) => {
    expect(toolWarnings({ ...plain, ...changed })).toEqual([warning]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { withOutwardUris } from './outward-uris.js';

const rename = (uri: string) => `sy.up+${uri}`;
const link = { type: 'resource_link', uri: 'file:///a', name: 'a' };
const embedded = { type: 'resource', resource: { uri: 'file:///b', text: 'B', _meta: { x: 1 } } };
const text = { type: 'text', text: 'file:///a', uri: 'not one' };

describe('withOutwardUris', () => {
  it('renames links and embedded resources of tools and prompts, and what was read', () => {
    const renamed = [
      { ...link, uri: 'sy.up+file:///a' },
      { ...embedded, resource: { ...embedded.resource, uri: 'sy.up+file:///b' } },
      text,
    ];
    const content = [link, embedded, text];
    expect(withOutwardUris({ content, isError: true }, rename)).toEqual({ content: renamed, isError: true });
    const messages = content.map((block) => ({ role: 'user', content: block }));
    expect(withOutwardUris({ messages }, rename)).toEqual({
      messages: renamed.map((block) => ({ role: 'user', content: block })),
    });
    expect(withOutwardUris({ contents: [{ uri: 'x:1', text: '' }] }, rename)).toEqual({
      contents: [{ uri: 'sy.up+x:1', text: '' }],
    });
  });

  it.each([{}, { content: 'text' }, { content: [null, 1, { type: 'resource' }] }, { messages: [1] }])(
    'leaves %j as it is',
    (result) => expect(withOutwardUris(result, rename)).toEqual(result),
  );
});

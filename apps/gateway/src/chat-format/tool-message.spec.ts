import { describe, expect, it } from '@jest/globals';
import { toolMessage } from './tool-message.js';

const text = { type: 'text', text: 'one' };
const image = { type: 'image', mimeType: 'image/png', data: 'AAAA' };

describe('toolMessage', () => {
  it('makes text of a result, whatever is in it', () => {
    const content = [
      text,
      image,
      { type: 'resource', resource: { uri: 'a://b', text: 'two' } },
      { type: 'resource', resource: { uri: 'a://c', blob: 'AAAA', mimeType: 'x/y' } },
      { type: 'resource_link', uri: 'a://d', name: 'd' },
    ];
    expect(toolMessage({ content }, 'c1', 'chat')).toEqual({
      role: 'tool',
      tool_call_id: 'c1',
      content:
        'one\n[image: image/png]\ntwo\n[resource: a://c x/y]\n{"type":"resource_link","uri":"a://d","name":"d"}',
    });
    expect(toolMessage({ content: [], structuredContent: { a: 1 } }, 'c1', 'chat')).toMatchObject({
      content: '{"a":1}',
    });
    expect(toolMessage({}, 'c1', 'chat')).toMatchObject({ content: '' });
  });

  it('hands images on where the format takes them', () => {
    expect(toolMessage({ content: [text] }, 'c1', 'responses')).toEqual({
      ...{ type: 'function_call_output', call_id: 'c1', output: 'one' },
    });
    expect(toolMessage({ content: [text, image] }, 'c1', 'responses')['output']).toEqual([
      { type: 'input_text', text: 'one' },
      { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
    ]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { metaForTool, traceparentOf } from './caller-meta.js';

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const other = '00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

describe('metaForTool', () => {
  it('keeps vendors’ keys and drops those of one hop', () => {
    const meta = {
      progressToken: 1,
      traceparent: trace,
      'io.modelcontextprotocol/clientInfo': {},
      'com.example/session': 'x',
    };
    expect(metaForTool(meta)).toEqual({ 'com.example/session': 'x' });
  });

  it('is absent where nothing remains', () => {
    expect(metaForTool({ progressToken: 1 })).toBeUndefined();
    expect(metaForTool(undefined)).toBeUndefined();
  });
});

describe('traceparentOf', () => {
  it('prefers the message over the header, and takes nothing malformed', () => {
    expect(traceparentOf({ traceparent: other }, trace)).toBe(other);
    expect(traceparentOf({ traceparent: 'x' }, trace)).toBe(trace);
    expect(traceparentOf(undefined, ['a', 'b'])).toBeUndefined();
  });
});

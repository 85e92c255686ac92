import { describe, expect, it } from '@jest/globals';
import { loopbackAliases, resourceOf, resourcePathOf } from './resources.js';

const origins = ['https://tools.example.com'];

describe('resourceOf', () => {
  it('knows the endpoint and those of toolsets', () => {
    expect(resourceOf('https://tools.example.com/mcp', origins)).toMatchObject({
      path: '/mcp',
      toolset: null,
    });
    expect(resourceOf('https://tools.example.com/mcp/web-dev', origins)).toMatchObject({
      ...{ path: '/mcp/web-dev', toolset: 'web-dev' },
    });
  });

  it.each([
    ...['https://tools.example.com', 'https://tools.example.com/', 'https://tools.example.com/mcp/'],
    ...[
      'https://tools.example.com.evil.test/mcp',
      'http://tools.example.com/mcp',
      'https://TOOLS.example.com/mcp',
    ],
    ...[
      'https://tools.example.com/mcp?a=b',
      'https://tools.example.com/mcp/A',
      'https://tools.example.com//mcp',
    ],
    ...[
      'https://tools.example.com/mcp/a/b',
      'https://x@tools.example.com/mcp',
      'https://tools.example.com/mcp/%61',
    ],
  ])('does not take %s for one', (uri) => expect(resourceOf(uri, origins)).toBeUndefined());
});

describe('resourcePathOf', () => {
  it('leaves the query aside, and other spellings out', () => {
    expect(resourcePathOf('/mcp?include_clients=a')).toBe('/mcp');
    for (const path of ['/mcp/%62undle', '/mcp/../mcp', '/mcpx', '/api/mcp'])
      expect(resourcePathOf(path)).toBeUndefined();
  });
});

describe('loopbackAliases', () => {
  it('gives a developer’s machine all of its names, and others the one that they have', () => {
    expect(loopbackAliases('http://127.0.0.1:8080')).toEqual([
      ...['http://127.0.0.1:8080', 'http://localhost:8080', 'http://[::1]:8080'],
    ]);
    expect(loopbackAliases('https://tools.example.com')).toEqual(['https://tools.example.com']);
  });
});

import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { slugFor, toRegistration } from './to-registration.js';

const errorOf = (entry: unknown) => {
  try {
    toRegistration('name', 'name', entry);
  } catch (error) {
    return error as PlatformError;
  }
  throw new Error('was accepted');
};

describe('slugFor', () => {
  it.each([
    ['web_search', 'web-search'],
    ['GitHub MCP (work)', 'github-mcp-work'],
    ['@scope/server.name', 'scope-server-name'],
    ['Café', 'cafe'],
    ['x'.repeat(60), 'x'.repeat(48)],
    ['日本', null],
  ])('%s becomes %s', (name, slug) => {
    expect(slugFor(name)).toBe(slug);
  });
});

describe('toRegistration', () => {
  it.each([
    [{ url: 'https://a.example/mcp' }, { type: 'http', url: 'https://a.example/mcp' }],
    [
      { type: 'streamable-http', url: 'https://a.example/mcp' },
      { type: 'http', url: 'https://a.example/mcp' },
    ],
    [
      { type: 'sse', url: 'https://a.example/sse' },
      { type: 'sse', url: 'https://a.example/sse' },
    ],
    [
      { command: 'files', args: ['/data'] },
      { type: 'stdio', command: 'files', args: ['/data'] },
    ],
    [
      { type: 'stdio', command: 'files' },
      { type: 'stdio', command: 'files', args: [] },
    ],
  ])('reads %j', (entry, transport) => {
    expect(toRegistration('name', 'name', entry).body.transport).toEqual(transport);
  });

  it('takes over headers, environment and whether it is disabled, and says what it ignores', () => {
    const entry = { url: 'https://a.example/', headers: { A: 'b' }, disabled: true, autoApprove: ['x'] };
    const { body, warnings } = toRegistration('A_name', 'a-name', entry);
    expect(body).toMatchObject({ slug: 'a-name', name: 'A_name', headers: { A: 'b' }, enabled: false });
    expect(warnings).toEqual(['"autoApprove" is ignored.']);
  });

  it.each<[string, unknown, string]>([
    ['nothing to connect to', {}, 'neither url nor command'],
    ['two things to connect to', { url: 'https://a.example/', command: 'c' }, 'both url and command'],
    ['a type that is not there', { type: 'websocket', url: 'https://a.example/' }, 'type'],
    ['a type of something else', { type: 'http', command: 'c' }, 'type: does not fit'],
    [
      'a placeholder in a header',
      { url: 'https://a.example/', headers: { Authorization: 'Bearer ${TOKEN}' } },
      'headers.Authorization',
    ],
    ['a placeholder in an argument', { command: 'c', args: ['a', '${workspaceFolder}'] }, 'args.1'],
    ['a placeholder in the environment', { command: 'c', env: { K: '${env:K}' } }, 'env.K'],
    ['a placeholder in the URL', { url: 'https://${HOST}/' }, 'url: has a ${…} placeholder'],
    ['no object', 'https://a.example/', 'object'],
    ['no URL', { url: 'not a url' }, 'transport.url'],
  ])('refuses %s', (_what, entry, message) => {
    expect(errorOf(entry).code).toBe('invalid_request');
    expect(errorOf(entry).message).toContain(message);
  });

  it('repeats no value in its error', () => {
    expect(
      JSON.stringify(errorOf({ url: 'https://a.example/', headers: { A: 'canary-${X}' } }).toInfo()),
    ).not.toContain('canary');
  });
});

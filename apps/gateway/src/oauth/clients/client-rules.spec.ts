import { describe, expect, it } from '@jest/globals';
import { applyClientRules, redirectKind } from './client-rules.js';

describe('redirectKind', () => {
  it.each([
    ['https://app.example.com/cb', 'web'],
    ['http://127.0.0.1:5000/callback', 'loopback'],
    ['http://localhost/callback', 'loopback'],
    ['http://[::1]:9/cb', 'loopback'],
    ['com.example.app:/callback', 'private'],
    ['cursor://anysphere.cursor-retrieval/oauth/callback', 'private'],
  ])('takes %s as %s', (uri, kind) => expect(redirectKind(uri)).toBe(kind));

  it.each([
    ...['https://a;b.test/cb', "https://a'b.test/cb", 'https://a,b.test/'],
    ...['http://app.example.com/cb', 'http://127.0.0.1.evil.test/cb', 'http://127.0.0.1@evil.test/cb'],
    ...['https://user:pass@app.example.com/', 'https://app.example.com/#x', 'https://*.example.com/cb'],
    ...[
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'myapp://cb',
      'https://localhost/cb',
    ],
    ...['https://app.example.com\\@evil.test/', 'https://app.example.com/\r\nx', 'about:blank', '', 7, null],
    `https://app.example.com/${'a'.repeat(3_000)}`,
  ])('refuses %j', (uri) => expect(redirectKind(uri)).toBeNull());
});

describe('applyClientRules', () => {
  it('says native where a redirect URI does', () => {
    const metadata: Record<string, unknown> = { redirect_uris: ['http://127.0.0.1/cb'], scope: 'openid x' };
    applyClientRules(metadata);
    expect(metadata).toEqual({ redirect_uris: ['http://127.0.0.1/cb'], application_type: 'native' });
  });

  it.each(['a\u202eb', 'two\nlines', 'x'.repeat(101), 7])('refuses %j as a name', (name) => {
    const metadata = { redirect_uris: ['https://app.example.com/cb'], client_name: name };
    expect(() => applyClientRules(metadata)).toThrow(/invalid_client_metadata/);
  });
});

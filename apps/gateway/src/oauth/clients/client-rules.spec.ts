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

  it('registers what an editor asks for as far as there is such a thing', () => {
    const metadata: Record<string, unknown> = {
      redirect_uris: ['https://vscode.dev/redirect', 'http://localhost:33418/'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code', 'token'],
      require_auth_time: true,
    };
    applyClientRules(metadata);
    expect(metadata).toEqual({
      ...{ redirect_uris: metadata.redirect_uris, application_type: 'native', response_types: ['code'] },
      grant_types: ['authorization_code', 'refresh_token'],
    });
  });

  it.each(['a\u202eb', 'two\nlines', 'x'.repeat(101), 7])('refuses %j as a name', (name) => {
    const metadata = { redirect_uris: ['https://app.example.com/cb'], client_name: name };
    expect(() => applyClientRules(metadata)).toThrow(/invalid_client_metadata/);
  });
});

import { describe, expect, it } from '@jest/globals';
import { assertUrlAllowed, parseUrl } from './assert-url-allowed.js';

const check =
  (text: string, allowPrivate = false) =>
  () =>
    assertUrlAllowed(parseUrl(text), { allowPrivate });

describe('assertUrlAllowed', () => {
  it.each([
    'https://example.com/mcp',
    'https://example.com:8443/',
    'https://1.1.1.1/mcp',
    'https://[2606:4700::1]/',
  ])('allows %s', (url) => expect(check(url)).not.toThrow());

  it.each([
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'unix:/var/run/docker.sock',
    'javascript:alert(1)',
    'gopher://example.com/',
    'data:text/plain,x',
    'https://user:secret@example.com/',
    'https://user@example.com/',
    'https://example.com./',
    'https://localhost/',
    'https://api.localhost/',
    'https://metadata.google.internal/',
    'https://printer.local/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://0x7f.0.0.1/',
    'https://0x7f000001/',
    'https://134744072/',
    'https://8.8.2056/',
    'https://127.0.0.1./',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[fec0::1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/',
    'https://10.0.0.1/',
    'https://',
    'not a url',
  ])('denies %s', (url) => expect(check(url)).toThrow(expect.objectContaining({ code: 'egress_denied' })));

  it('admits loopback and private addresses, over plain http too, by the development setting', () => {
    for (const url of [
      'http://127.0.0.1:9000/mcp',
      'http://localhost:9000/',
      'http://10.1.2.3/',
      'https://[::1]/',
    ]) {
      expect(check(url, true)).not.toThrow();
    }
  });

  it.each([
    'http://169.254.169.254/',
    'http://8.8.8.8/',
    'http://2130706433/',
    'http://[fe80::1]/',
    'http://u:p@127.0.0.1/',
    'http://0.0.0.0/',
  ])('denies %s even with the development setting', (url) =>
    expect(check(url, true)).toThrow(expect.objectContaining({ code: 'egress_denied' })),
  );
});

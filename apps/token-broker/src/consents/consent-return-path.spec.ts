import { describe, expect, it } from '@jest/globals';
import { consentReturnPath } from './consent-return-path.js';

describe('consentReturnPath', () => {
  it('leads back to a consent page', () => {
    expect(consentReturnPath('/oauth2/interaction/Ab-1_x')).toBe('/oauth2/interaction/Ab-1_x');
  });

  it.each([
    ...['/', '/sign-in', '//evil.test', 'https://evil.test/oauth2/interaction/a', '/oauth2/interaction/'],
    ...[
      '/oauth2/interaction/../a',
      '/oauth2/interaction/a?b',
      '/oauth2/authorize',
      undefined,
      ['/a'],
      '/\\evil',
    ],
  ])('leads nobody to %j', (text) => expect(consentReturnPath(text)).toBeNull());
});

import { describe, expect, it } from '@jest/globals';
import { startChromium } from '../harness/chromium.js';
import type { Switchyard } from '../harness/switchyard.js';

/** The sample users, as somebody who tries Switchyard signs in: in a browser, with the password of dev.json. */
export function signsPeopleIn(switchyard: () => Switchyard): void {
  describe('a sample user', () => {
    it('signs in with a browser and sees what they allowed', async () => {
      const { dev } = switchyard();
      const bob = dev.identity_provider?.users.find(({ username }) => username === 'bob');
      const browser = await startChromium();
      try {
        const page = await browser.newPage();
        await page.goto(new URL('/oauth2/grants', dev.gateway_url).href);
        await page.type('input[name=username]', 'bob');
        await page.type('input[name=password]', bob?.password ?? '');
        await Promise.all([page.waitForNavigation(), page.click('button')]);
        expect(new URL(page.url()).origin).toBe(dev.gateway_url);
        expect(new URL(page.url()).pathname).toBe('/oauth2/grants');
      } finally {
        await browser.close();
      }
    });
  });
}

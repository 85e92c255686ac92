import { describe, expect, it } from '@jest/globals';
import { eventually, signIn, TestBrowser } from '@switchyard/testing';
import { generateKeyPair, SignJWT } from 'jose';
import { undoAfterAll } from '../harness/connected-fixture.js';
import { submitForm } from '../harness/html-form.js';
import { bearer, rpc } from '../harness/mcp-rpc.js';
import type { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import { protectIntegration } from './protected-integration.js';

type AuditRow = { action: string; result: string; code: string | null };

/** Each is refused, shows nothing, and leaves a row in the audit log. */
export function refusesAttacks(switchyard: () => Switchyard, people: () => People): void {
  describe('attacks on consent and tokens', () => {
    const undo = undoAfterAll();
    const audit = async (action: string): Promise<AuditRow[]> =>
      (await switchyard().admin.must<{ items: AuditRow[] }>('GET', `/api/audit?action=${action}&limit=200`))
        .items;
    /** Of nobody's organization too: an answer that comes without a session could be anybody's. */
    const refusals = async (action = 'consent_refused') =>
      (await audit(action)).length + (await audit(`${action}&chain=platform`)).length;
    const isRefused = async (attack: () => Promise<{ status: number; html: string }>) => {
      const before = await refusals();
      const page = await attack();
      expect(page.status).toBeGreaterThanOrEqual(400);
      expect(page.html).toContain('<h1>Not connected</h1>');
      await eventually(async () => (await refusals()) === before + 1);
    };

    it('a state that was used is used up', async () => {
      const { integration } = await protectIntegration(switchyard(), 'replay', undo);
      const callback = await signIn({
        url: await people().beginConsent('bob', integration.id),
        user: 'bob',
      });
      expect((await people().open('bob', callback)).status).toBe(200);
      await isRefused(() => people().open('bob', callback));
    });

    it('a flow that somebody else began is not finished in the victim’s browser', async () => {
      const { integration } = await protectIntegration(switchyard(), 'victim', undo);
      const callback = await signIn({
        url: await people().beginConsent('bob', integration.id),
        user: 'mallory',
      });
      await people().open('carol', `/integrations/${integration.id}/connect`);
      await isRefused(() => people().open('carol', callback));
      await isRefused(async () => {
        const response = await new TestBrowser().request(callback);
        return { status: response.status, html: await response.text() };
      });
    });

    it('an answer of another issuer, of nobody, or with an invented state is not redeemed', async () => {
      const { integration, vendor } = await protectIntegration(switchyard(), 'mix-up', undo);
      const callback = new URL(
        await signIn({ url: await people().beginConsent('bob', integration.id), user: 'bob' }),
      );
      const requests = vendor.log.length;
      for (const [name, value] of [
        ['iss', 'https://attacker.example'],
        ['state', 'invented'],
      ] as const) {
        const changed = new URL(callback);
        changed.searchParams.set(name, value);
        await isRefused(() => people().open('bob', changed.href));
      }
      expect(vendor.log.slice(requests).filter(({ path }) => path.includes('token'))).toEqual([]);
    });

    it('the sign-in leads nowhere but home', async () => {
      for (const target of [
        'https://evil.example/',
        '//evil.example',
        '/\\evil.example',
        '/%2f%2fevil.example',
        'javascript:alert(1)',
      ]) {
        const response = await new TestBrowser().request(
          `${switchyard().origin()}/sign-in?return_to=${encodeURIComponent(target)}`,
        );
        const location = response.headers.get('location') ?? '';
        expect(location).not.toContain('evil');
        expect(location).not.toContain('javascript');
        await response.body?.cancel();
      }
    });

    it('the connect form is not sent from another site, nor without its page', async () => {
      const { integration } = await protectIntegration(switchyard(), 'forged', undo);
      const page = await people().open('bob', `/integrations/${integration.id}/connect`);
      const browser = people().browserOf('bob');
      const bare = await submitForm(browser, {
        ...page,
        html: page.html.replaceAll(/value="[^"]*"/g, 'value="x"'),
      });
      expect(bare.status).toBeGreaterThanOrEqual(400);
      const foreign = await browser.request(page.url, {
        method: 'POST',
        body: new URLSearchParams({ csrf: 'x' }),
        headers: { origin: 'https://evil.example' },
      });
      expect(foreign.status).toBeGreaterThanOrEqual(400);
    });

    it.each([
      [
        'of another audience',
        async () => people().identityProvider.issueToken('bob', 'https://other.example'),
      ],
      ['expired', async () => people().tokenOf('bob', { ttlSeconds: -3_600 })],
      [
        'unsigned',
        async () =>
          `${segment({ alg: 'none' })}.${segment({ sub: 'bob', iss: people().identityProvider.issuer })}.`,
      ],
      [
        'signed by a stranger',
        async () =>
          new SignJWT({ sub: 'bob' })
            .setProtectedHeader({ alg: 'RS256', kid: 'x' })
            .setIssuer(people().identityProvider.issuer)
            .setAudience(switchyard().origin())
            .setExpirationTime('5m')
            .sign((await generateKeyPair('RS256')).privateKey),
      ],
    ])('a token that is %s opens no door', async (_what, make) => {
      const before = await refusals('caller_refused');
      const token = await make();
      const origin = switchyard().origin();
      expect((await rpc(switchyard().mcpUrl, bearer(token), { method: 'tools/list' })).status).toBe(401);
      for (const path of ['/api/tool-calls', '/api/credentials', '/api/integrations', '/api/audit'])
        expect([path, (await fetch(`${origin}${path}`, { headers: bearer(token) })).status]).toEqual([
          path,
          401,
        ]);
      await eventually(async () => (await refusals('caller_refused')) > before);
    });
  });
}

function segment(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}

import {
  signIn,
  startAuthorizationServer,
  TestBrowser,
  type TestAuthorizationServer,
} from '@switchyard/testing';
import type { AdminApi } from './admin-api.js';
import { submitForm } from './html-form.js';
import { type Switchyard } from './switchyard.js';

/** What a person's browser came to: where, with which status, and what it reads there. */
export type Page = { readonly url: string; readonly status: number; readonly html: string };

export type PeopleOptions = { admin?: AdminApi; users?: Record<string, { roles: string[] }> };

const usualUsers = {
  alice: { roles: ['admin'] },
  bob: { roles: [] },
  carol: { roles: [] },
  robot: { roles: [] },
};

/**
 * The people of an organization, with the identity provider that they sign in at: a real one, registered with Switchyard
 * as an admin would. Each person has a browser that remembers who they are.
 */
export class People {
  readonly #browsers = new Map<string, TestBrowser>();

  private constructor(
    private readonly switchyard: Switchyard,
    private readonly admin: AdminApi,
    readonly identityProvider: TestAuthorizationServer,
  ) {}

  static async start(switchyard: Switchyard, options: PeopleOptions = {}): Promise<People> {
    const { admin = switchyard.admin, users = usualUsers } = options;
    const origin = switchyard.origin();
    const provider = await startAuthorizationServer({
      users,
      defaultResource: origin,
      clients: [{ client_id: 'switchyard', redirect_uris: [`${origin}/sign-in/callback`] }],
    });
    await admin.must('POST', '/api/identity-providers', {
      name: 'e2e',
      issuer: provider.issuer,
      audience: origin,
      client_id: 'switchyard',
    });
    return new People(switchyard, admin, provider);
  }

  close(): Promise<void> {
    return this.identityProvider.close();
  }

  /** The user's JWT, as their chat backend would have it. */
  tokenOf(user: string, more: Parameters<TestAuthorizationServer['issueToken']>[2] = {}): Promise<string> {
    return this.identityProvider.issueToken(user, this.switchyard.origin(), more);
  }

  /** The platform's id of a user, who has been seen before. */
  async idOf(user: string): Promise<string> {
    const { items } = await this.admin.must<{ items: { id: string; subject?: string; username: string }[] }>(
      'GET',
      '/api/users?limit=200',
    );
    const found = items.find(({ subject, username }) => subject === user || username === user);
    if (!found) throw new Error(`nobody has seen ${user} yet: ${JSON.stringify(items)}`);
    return found.id;
  }

  browserOf(user: string): TestBrowser {
    const browser = this.#browsers.get(user) ?? new TestBrowser();
    this.#browsers.set(user, browser);
    return browser;
  }

  /** Opens a page of ours as the user, signing in on the way if need be. */
  async open(user: string, path: string): Promise<Page> {
    const browser = this.browserOf(user);
    let url = new URL(path, this.switchyard.origin()).href;
    for (let followed = 0; followed < 20; followed++) {
      const response = await browser.request(url);
      const location = response.headers.get('location');
      const html = await response.text();
      if (!location) return { url, status: response.status, html };
      const next = new URL(location, url);
      url =
        next.origin === this.identityProvider.issuer
          ? await signIn({ url: next.href, user, browser })
          : next.href;
    }
    throw new Error(`the redirects from ${path} never end`);
  }

  /** Opens the connect page and sends its form; gives the vendor's authorization URL. */
  async beginConsent(user: string, integrationId: string, query = ''): Promise<string> {
    const page = await this.open(user, `/integrations/${integrationId}/connect${query}`);
    if (page.status !== 200) throw new Error(`the connect page: ${page.status} ${page.html}`);
    const response = await submitForm(this.browserOf(user), page);
    const location = response.headers.get('location');
    if (!location) throw new Error(`no way to the vendor: ${response.status} ${await response.text()}`);
    return new URL(location, page.url).href;
  }

  /** Connects an integration from the first page to the last, at the vendor as `vendorUser`. */
  async connect(
    user: string,
    integrationId: string,
    { query = '', vendorUser = user }: { query?: string; vendorUser?: string } = {},
  ): Promise<Page> {
    const consentUrl = await this.beginConsent(user, integrationId, query);
    const callback = await signIn({ url: consentUrl, user: vendorUser });
    return this.open(user, callback);
  }
}

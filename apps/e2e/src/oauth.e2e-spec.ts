import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Client } from '@modelcontextprotocol/client';
import { calmMsOf, eventually, freePort, HttpsSite } from '@switchyard/testing';
import type { Browser, Page } from 'puppeteer-core';
import { startChromium } from './harness/chromium.js';
import { undoAfterAll } from './harness/connected-fixture.js';
import { bearer, rpc } from './harness/mcp-rpc.js';
import { People } from './harness/people.js';
import { Switchyard } from './harness/switchyard.js';
import { protectIntegration, type ProtectedIntegration } from './identity/protected-integration.js';
import { judgeAuthorizationServer } from './oauth/conformance.js';
import { DesktopClient } from './oauth/desktop-client.js';

jest.setTimeout(120_000);

describe('an MCP client that knows nothing but the URL, and its user’s real browser', () => {
  const undo = undoAfterAll();
  let site: HttpsSite;
  let switchyard: Switchyard;
  let people: People;
  let chromium: Browser;
  let mail: ProtectedIntegration;
  let desktop: DesktopClient;
  let client: Client;
  let page: Page;

  beforeAll(async () => {
    site = await HttpsSite.start();
    undo(() => site.close());
    const env = { NODE_EXTRA_CA_CERTS: site.caFile };
    switchyard = await Switchyard.start({ scale: { gateway: 2 }, env });
    undo(() => switchyard.stop());
    people = await People.start(switchyard);
    undo(() => people.close());
    chromium = await startChromium();
    undo(() => chromium.close());
    mail = await protectIntegration(switchyard, 'mail', undo);
    desktop = await DesktopClient.start();
    undo(() => desktop.close());
  }, 180_000);

  const text = () => page.$eval('main', (main) => main.textContent ?? '');
  const signInAs = async (user: string) => {
    await page.type('input[name=user]', user);
    await Promise.all([page.waitForNavigation(), page.click('button')]);
  };
  const press = (selector: string) => Promise.all([page.waitForNavigation(), page.click(selector)]);

  it('is let in: the user signs in, sees who asks, connects what is missing, and allows it', async () => {
    const connecting = desktop.connect(switchyard.mcpUrl);
    page = await (await chromium.createBrowserContext()).newPage();
    await page.goto(await desktop.opened.promise);
    await signInAs('bob');
    const asked = await text();
    for (const shown of ['Desktop client', 'Not verified', 'a program on this computer', 'bob'])
      expect(asked).toContain(shown);
    expect(asked).toContain('Connect mail');
    await press(`#connect-${mail.integration.id}`);
    await press('form button');
    await signInAs('bob');
    expect(page.url()).toMatch(/\/oauth2\/interaction\//);
    expect(await text()).toContain('connected');
    await press('button[value=allow]');
    expect(page.url().startsWith(desktop.redirectUrl)).toBe(true);
    client = await connecting;
    undo(() => client.close());
  });

  it('calls the user’s tools as the user', async () => {
    await eventually(
      async () => (await client.listTools()).tools.some(({ name }) => name === 'mail_whoami'),
      { timeoutMs: 15_000 },
    );
    const result = await client.callTool({ name: 'mail_whoami', arguments: {} });
    expect(result.structuredContent).toMatchObject({ sub: 'bob' });
  });

  it('gets a token that no other resource takes: no toolset, no API, and no server behind us', async () => {
    const token = desktop.stored?.access_token ?? '';
    const list = { method: 'tools/list' };
    expect((await rpc(`${switchyard.mcpUrl}/other`, bearer(token), list)).status).toBe(401);
    expect((await rpc(mail.upstream.url, bearer(token), list)).status).toBe(401);
    for (const path of ['/api/tool-calls', '/api/bff/tools', '/api/credentials', '/api/integrations'])
      expect((await fetch(`${switchyard.origin()}${path}`, { headers: bearer(token) })).status).toBe(401);
  });

  it('refreshes by itself', async () => {
    const before = desktop.stored;
    // What a client has whose access token ran out: the SDK refreshes on the 401.
    desktop.stored = { ...before!, access_token: 'eyJhbGciOiJub25lIn0.e30.' };
    const result = await client.callTool({ name: 'mail_whoami', arguments: {} });
    expect(result.structuredContent).toMatchObject({ sub: 'bob' });
    expect(desktop.stored?.refresh_token).not.toBe(before?.refresh_token);
  });

  it('is out within 2 s of the user’s word, at every replica, and cannot refresh', async () => {
    const user = bearer(await people.tokenOf('bob'));
    const answer = await fetch(`${switchyard.origin()}/api/oauth/grants`, { headers: user });
    const { items } = (await answer.json()) as { items: { id: string; client_name: string }[] };
    expect(items).toEqual([expect.objectContaining({ client_name: 'Desktop client' })]);
    const token = desktop.stored?.access_token ?? '';
    const list = { method: 'tools/list' };
    for (const url of switchyard.mcpUrls) expect((await rpc(url, bearer(token), list)).status).toBe(200);
    const isOut = (url: string) =>
      eventually(async () => (await rpc(url, bearer(token), list)).status === 401);
    const waitedMs = await calmMsOf(async () => {
      const gone = await fetch(`${switchyard.origin()}/api/oauth/grants/${items[0]?.id}`, {
        ...{ method: 'DELETE', headers: user },
      });
      expect(gone.status).toBe(204);
      await Promise.all(switchyard.mcpUrls.map(isOut));
    });
    expect(waitedMs).toBeLessThan(2_000);
    await expect(client.callTool({ name: 'mail_whoami', arguments: {} })).rejects.toThrow();
  });

  it('hears it when the user denies', async () => {
    const other = await DesktopClient.start();
    undo(() => other.close());
    const connecting = other.connect(switchyard.mcpUrl).catch((error: unknown) => error);
    await page.goto(await other.opened.promise);
    await press('button[value=deny]');
    expect(String(await connecting)).toContain('The user did not allow it.');
    expect((await other.callback.promise).searchParams.get('error')).toBe('access_denied');
  });

  it('that has a metadata document is named by who vouches for it, and needs no registration', async () => {
    const url = site.urlOf('/client.json');
    site.documents.set('/client.json', {
      ...{ client_id: url, client_name: 'Vouched client', token_endpoint_auth_method: 'none' },
      ...{ redirect_uris: ['http://127.0.0.1/callback'], response_types: ['code'] },
      grant_types: ['authorization_code', 'refresh_token'],
    });
    const vouched = await DesktopClient.start(url);
    undo(() => vouched.close());
    const connecting = vouched.connect(switchyard.mcpUrl);
    await page.goto(await vouched.opened.promise);
    expect(await text()).toContain(`${new URL(url).host} vouches for it.`);
    await press('button[value=allow]');
    const connected = await connecting;
    undo(() => connected.close());
    expect((await connected.listTools()).tools.map(({ name }) => name)).toContain('mail_whoami');
    expect(vouched.clientInformation()).toMatchObject({ client_id: url });
  });

  it('passes the conformance suite for authorization servers, its user being the browser', async () => {
    const port = await freePort();
    const registered = await fetch(`${switchyard.origin()}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ client_name: 'Conformance', token_endpoint_auth_method: 'none' },
        redirect_uris: [`http://127.0.0.1:${port}/callback`],
      }),
    });
    const { client_id: clientId } = (await registered.json()) as { client_id: string };
    const suite = judgeAuthorizationServer([
      ...['--url', switchyard.origin(), '--client-id', clientId],
      ...['--resource', switchyard.mcpUrl, '--port', String(port)],
    ]);
    await page.goto(await suite.authorizationUrl);
    await press('button[value=allow]');
    const { code, output } = await suite.ended;
    expect({ code, output }).toMatchObject({ code: 0 });
    for (const scenario of ['metadata-endpoint', 'authorization-code-grant'])
      expect(output).toContain(scenario);
  });
});

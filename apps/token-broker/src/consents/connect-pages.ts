import { elsewhere, type Html, markup, type HtmlPage } from '@switchyard/service-kit';
import { type ConsentProblem, consentProblems } from './consent-problem.js';
import type { Ask, Connection } from './connections.service.js';

/** What the user is about to consent to: which service, for which organization, as whom, with which scopes. */
export function consentPage(connection: Connection, ask: Ask, formToken: string): HtmlPage {
  const { integration, present } = connection;
  const { server } = ask.vendor;
  const again =
    present?.state === 'active'
      ? markup`<p class="note">It is connected already; going on replaces that.</p>`
      : null;
  return {
    title: `Connect ${integration.name}`,
    formTargets: elsewhere,
    body: markup`${who(connection)}${again}
      <dl>
        <dt>Consent is asked by</dt>
        <dd>${new URL(server.issuer).host}</dd>
        <dt>Permissions</dt>
        <dd>${scopeList(ask.scopes)}</dd>
      </dl>
      <p>
        You will be sent to the service to agree. It gives Switchyard a credential, which only the calls made
        for ${whose(connection)} use, and which you can take back at any time.
      </p>
      <form method="post">
        <input type="hidden" name="form_token" value="${formToken}" /><button>
          Continue to ${integration.name}
        </button>
      </form>`,
  };
}

/** A form for what each user brings. The values are write-only. */
export function headersPage(
  connection: Connection,
  formToken: string,
  problem: string | null = null,
): HtmlPage {
  const { integration } = connection;
  const fields = integration.userHeaderNames.map(
    (name, index) =>
      markup`<label for="header-${index}">${name}</label>
        <input
          id="header-${index}"
          name="header-${index}"
          type="password"
          autocomplete="off"
          required
          maxlength="16384"
        />`,
  );
  return {
    title: `Connect ${integration.name}`,
    status: problem === null ? 200 : 400,
    body: markup`${who(connection)}${problem === null ? null : markup`<p class="note" role="alert">${problem}</p>`}
      <p>
        The service takes these values of yours with each call. They are stored encrypted and never shown
        again.
      </p>
      <form method="post">
        <input type="hidden" name="form_token" value="${formToken}" />${fields}
        <p><button>Store and connect</button></p>
      </form>`,
  };
}

/** What stands in the database decides, not what stands in the address. */
export function connectedPage(connection: Connection): HtmlPage {
  const { integration, present } = connection;
  const isConnected = present?.state === 'active' || present?.state === 'needs_update';
  if (!isConnected)
    return {
      title: `${integration.name} is not connected`,
      body: markup`${who(connection)}
        <p><a href="${connectPath(connection)}">Connect it</a></p>`,
    };
  return {
    title: `${integration.name} is connected`,
    body: markup`${who(connection)}
      <dl>
        <dt>Permissions</dt>
        <dd>${present.kind === 'oauth' ? scopeList(present.grantedScopes) : 'Your own values'}</dd>
      </dl>
      ${missingScopes(present.neededScopes)}
      <p>You can close this page, go back and call again.</p>`,
  };
}

/** What happened and what to do, in our own words; the vendor's are quoted as such. */
export function problemPage({ reason, integrationId, vendorWords }: ConsentProblem): HtmlPage {
  const [status, , message, next] = consentProblems[reason];
  const words = vendorWords ? markup`<p>The vendor says: <q>${vendorWords}</q></p>` : null;
  const isSafe = integrationId !== null && reason !== 'not_found' && reason !== 'other_user';
  const again = isSafe
    ? markup`<p><a href="/integrations/${integrationId}/connect">Begin again</a></p>`
    : null;
  return {
    title: 'Not connected',
    status,
    body: markup`<p role="alert">${message}</p>
      ${words}
      <p>${next}</p>
      ${again}`,
  };
}

export function connectPath({ integration, isService }: Connection): string {
  return `/integrations/${integration.id}/connect${isService ? '?as=service' : ''}`;
}

function who(connection: Connection): Html {
  const { integration, organization, serverUrl } = connection;
  return markup`<dl>
      <dt>Service</dt>
      <dd>${integration.name} (${new URL(serverUrl).host})</dd>
      <dt>Organization</dt>
      <dd>${organization.name}</dd>
      <dt>${connection.isService ? 'As the service identity' : 'As'}</dt>
      <dd>${connection.forUser.name ?? 'you'}</dd>
    </dl>
    ${connection.isService ? markup`<p class="note">This is the service identity: calls that nobody is present for run with what you grant here. Sign in at the service as the account that is meant for it, not as yourself.</p>` : null}`;
}

function whose({ isService }: Connection): string {
  return isService ? 'the organization without anybody present' : 'you';
}

function scopeList(scopes: readonly string[] | null): Html {
  if (!scopes || scopes.length === 0) return markup`What the service grants by default`;
  return markup`<ul>
    ${scopes.map((scope) => markup`<li>${scope}</li>`)}
  </ul>`;
}

function missingScopes(scopes: readonly string[]): Html | null {
  if (scopes.length === 0) return null;
  return markup`<p class="note">Some tools need more, which was not granted: ${scopes.join(', ')}</p>`;
}

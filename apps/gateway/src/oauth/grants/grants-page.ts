import { type Html, type HtmlPage, markup } from '@switchyard/service-kit';
import type { ListedGrant } from './grants.repository.js';

/** Who may call in the user's name, newest first, and a button for each to end it. `more`: where the older ones are. */
export function grantsPage(
  grants: readonly ListedGrant[],
  { formToken, more }: { formToken: string; more: string | null },
): HtmlPage {
  const none = markup`<p>You have let no application in.</p>`;
  return {
    title: 'Applications that use your tools',
    body: markup`${grants.length === 0 ? none : grants.map((grant) => item(grant, formToken))}
      ${more === null ? null : markup`<p><a href="${more}">Older ones</a></p>`}`,
  };
}

function item(grant: ListedGrant, formToken: string): Html {
  const { id, clientName, clientHost, resource, integrationIds, createdAt, lastUsedAt, expiresAt } = grant;
  const shared = integrationIds === null ? 'all that you may use' : `${integrationIds.length} integrations`;
  return markup`<section>
      <h2>${clientName ?? 'An application without a name'}</h2>
      <dl>
        <dt>Its identity</dt>
        <dd>${clientHost ?? 'not verified'}</dd>
        <dt>Shared</dt>
        <dd>${shared}, at ${resource}</dd>
        <dt>Allowed</dt>
        <dd>${day(createdAt)}, until ${day(expiresAt)}</dd>
        <dt>Last used</dt>
        <dd>${lastUsedAt === null ? 'never' : day(lastUsedAt)}</dd>
      </dl>
      <form method="post" action="/oauth2/grants/${id}">
        <input type="hidden" name="form_token" value="${formToken}" /><button>End it</button>
      </form>
    </section>`;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

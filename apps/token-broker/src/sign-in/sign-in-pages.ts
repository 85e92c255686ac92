import type { ErrorRow, PlatformError } from '@switchyard/contracts';
import { elsewhere, type Html, markup, type HtmlPage } from '@switchyard/service-kit';
import type { IdentityProvider } from '../callers/identity-providers.repository.js';

export function signedInPage(name: string | null): HtmlPage {
  return {
    title: 'Signed in',
    body: markup`<p>You are signed in${name === null ? null : markup` as <strong>${name}</strong>`}.</p>
      <form method="post" action="/sign-out"><button>Sign out</button></form>`,
  };
}

export function signedOutPage(): HtmlPage {
  return {
    title: 'Signed out',
    body: markup`<p>You are signed out. <a href="/sign-in">Sign in again</a></p>`,
  };
}

/** What goes on from page to page. */
type Kept = { readonly returnTo: string | undefined; readonly prompt: string | undefined };

/** Asked for where the link did not say it, or said one in which nobody can sign in. */
export function organizationPage(organization: string | undefined, kept: Kept): HtmlPage {
  const note = markup`<p class="note" role="alert">Nobody can sign in to an organization of that name.</p>`;
  return {
    title: 'Sign in',
    status: organization === undefined ? 200 : 404,
    formTargets: elsewhere,
    body: markup`${organization === undefined ? null : note}
      <form method="get" action="/sign-in">
        <label for="organization">Your organization’s short name</label>
        <input id="organization" name="organization" required maxlength="48" autocomplete="organization" />
        ${hidden('return_to', kept.returnTo)} ${hidden('prompt', kept.prompt)}
        <p><button>Continue</button></p>
      </form>`,
  };
}

export function chooseProviderPage(
  providers: readonly IdentityProvider[],
  organization: string | undefined,
  { returnTo, prompt }: Kept,
): HtmlPage {
  const items = providers.map(({ id, name }) => {
    const query = new URLSearchParams({
      provider: id,
      ...(organization !== undefined && { organization }),
      ...(returnTo !== undefined && { return_to: returnTo }),
      ...(prompt !== undefined && { prompt }),
    });
    return markup`<li><a href="/sign-in?${query.toString()}">${name}</a></li>`;
  });
  return {
    title: 'Sign in',
    body: markup`<p>Where do you sign in?</p>
      <ul>
        ${items}
      </ul>`,
  };
}

export function signInFailedPage(error: PlatformError, { httpStatus }: ErrorRow): HtmlPage {
  return {
    title: 'You are not signed in',
    status: httpStatus,
    body: markup`<p role="alert">${error.message}</p>
      <p><a href="/sign-in">Try again</a>, or ask an admin of your organization.</p>`,
  };
}

function hidden(name: string, value: string | undefined): Html | null {
  return value === undefined ? null : markup`<input type="hidden" name="${name}" value="${value}" />`;
}

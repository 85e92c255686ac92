import { elsewhere, type Html, type HtmlPage, markup } from '@switchyard/service-kit';
import { paths } from '../server/provider-configuration.js';
import type { BrowserUser } from './browser-sessions.service.js';
import type { Choice, ConsentRequest, ConsentView } from './consents.service.js';

/** Who asks, where the answer goes, as whom, and for what. */
export function consentPage(
  request: ConsentRequest,
  view: ConsentView,
  { user, formToken }: { user: BrowserUser; formToken: string },
): HtmlPage {
  const name = request.clientName ?? 'An application without a name';
  return {
    title: `Let ${name} use your tools?`,
    formTargets: formTargetsOf(request.redirectUri),
    body: markup`<dl>
        <dt>Application</dt>
        <dd>${name}</dd>
        <dt>Its identity</dt>
        <dd>${identityOf(request)}</dd>
        <dt>Your answer goes to</dt>
        <dd>${destinationOf(request.redirectUri)}</dd>
        <dt>You are</dt>
        <dd>${user.username ?? 'signed in'}, ${view.organization}</dd>
        <dt>It asks for</dt>
        <dd>${scopeOf(request, view)}</dd>
      </dl>
      <form method="post">
        <input type="hidden" name="form_token" value="${formToken}" />
        ${view.isAllowed ? sharing(request, view.choices) : null}
        <p>
          ${view.isAllowed ? markup`<button name="decision" value="allow">Allow</button> ` : null}<button
            name="decision"
            value="deny"
          >
            Deny
          </button>
        </p>
      </form>
      ${otherAccount(request)}`,
  };
}

/** What `/sign-in` is to know: the way back, and whether the identity provider is to ask who is there. */
export function signInQuery({ interactionId, isNewSignInWanted }: SignInFor): Record<string, string> {
  return {
    return_to: `${paths.interaction}/${interactionId}`,
    ...(isNewSignInWanted && { prompt: 'login' }),
  };
}

type SignInFor = Pick<ConsentRequest, 'interactionId' | 'isNewSignInWanted'>;

/** Where people of several organizations sign in. */
export function organizationPage(request: ConsentRequest): HtmlPage {
  return {
    title: 'Sign in',
    formTargets: elsewhere,
    body: markup`<p>An application wants to use your tools. Sign in first.</p>
      <form method="get" action="/sign-in">
        <label for="organization">Your organization’s short name</label>
        <input id="organization" name="organization" maxlength="48" autocomplete="organization" />
        ${Object.entries(signInQuery(request)).map(
          ([name, value]) => markup`<input type="hidden" name="${name}" value="${value}" />`,
        )}
        <p><button>Continue</button></p>
      </form>`,
  };
}

/** The request is over, was answered, or was begun in another browser. */
export function requestOverPage(): HtmlPage {
  return {
    title: 'There is nothing to answer here',
    status: 400,
    body: markup`<p role="alert">The request is over, was answered already, or was begun in another browser.</p>
      <p>Go back to the application and connect again.</p>`,
  };
}

/** Who asks is known by a document of theirs, which cannot be read now. */
export function clientAwayPage(interactionId: string): HtmlPage {
  return {
    title: 'Who asks cannot be shown now',
    status: 502,
    body: markup`<p role="alert">The application’s own site does not say who it is. Nothing was allowed.</p>
      <p><a href="${paths.interaction}/${interactionId}">Look at the request again</a>, or go back to the application.</p>`,
  };
}

export function refusedPage(interactionId: string): HtmlPage {
  return {
    title: 'The answer did not come from this page',
    status: 403,
    body: markup`<p role="alert">Your answer was not taken: the page was old, or another page sent it.</p>
      <p><a href="${paths.interaction}/${interactionId}">Look at the request again</a></p>`,
  };
}

function identityOf({ clientHost }: ConsentRequest): Html {
  if (clientHost !== null) return markup`<strong>${clientHost}</strong> vouches for it.`;
  return markup`<strong>Not verified.</strong> Anybody can register by this name. Go on only if you have just
    started to connect it yourself.`;
}

function destinationOf(redirectUri: string): Html {
  const { protocol, host, hostname } = new URL(redirectUri);
  if (protocol === 'https:') return markup`<strong>${host}</strong>`;
  if (protocol === 'http:') return markup`a program on this computer (${hostname})`;
  return markup`the application that opens <strong>${protocol}</strong> links`;
}

function scopeOf({ resource }: ConsentRequest, { isAllowed }: ConsentView): Html {
  if (!isAllowed)
    return markup`<span role="alert"
      >the toolset “${resource.toolset ?? ''}”, which is not there for you. An admin can attach it to you.</span
    >`;
  return resource.toolset === null
    ? markup`calling tools in your name`
    : markup`calling the tools of the toolset “${resource.toolset}” in your name`;
}

function sharing({ interactionId }: ConsentRequest, choices: readonly Choice[]): Html {
  const none = markup`<p class="note">There is nothing here yet that you may use.</p>`;
  return markup`<fieldset>
      <legend>What you share</legend>
      <label><input type="radio" name="share" value="all" checked />All that I may use, now and later</label>
      <label><input type="radio" name="share" value="chosen" />Only what is ticked here:</label>
      ${choices.length === 0 ? none : markup`<ul>${choices.map((choice) => choiceItem(interactionId, choice))}</ul>`}
    </fieldset>`;
}

function choiceItem(interactionId: string, { integration, isConnected }: Choice): Html {
  const { id, name } = integration;
  const query = new URLSearchParams({ return_to: `${paths.interaction}/${interactionId}` });
  const connect = markup`needs you to connect it first:
    <a id="connect-${id}" href="/integrations/${id}/connect?${query.toString()}">Connect ${name}</a>`;
  return markup`<li>
      <label><input type="checkbox" name="integration" value="${id}" checked />${name}</label>
      ${isConnected === null ? null : isConnected ? markup`connected` : connect}
    </li>`;
}

function otherAccount({ interactionId }: ConsentRequest): Html {
  const query = new URLSearchParams(signInQuery({ interactionId, isNewSignInWanted: true }));
  return markup`<p><a href="/sign-in?${query.toString()}">Sign in as somebody else</a></p>`;
}

/** Browsers hold the redirect behind the form to the policy too. They know no IPv6 addresses there. */
function formTargetsOf(redirectUri: string): string[] {
  const { protocol, origin, hostname } = new URL(redirectUri);
  return [protocol === 'https:' || (protocol === 'http:' && hostname !== '[::1]') ? origin : protocol];
}

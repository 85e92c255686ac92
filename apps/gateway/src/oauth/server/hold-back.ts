import { markup, renderPage } from '@switchyard/service-kit';
import type Provider from 'oidc-provider';

type Context = Parameters<Parameters<Provider['use']>[0]>[0];

/**
 * Before a user has seen who asks, nobody is sent to a web page by a link to us, not even with an error: anybody may
 * register, and a link to us would lead to any site. The person is told, and may go on. Programs on the user's own
 * machine get their errors as ever.
 */
export function holdBack(ctx: Context): void {
  const location = ctx.response.get('location');
  if (!URL.canParse(location)) return;
  const url = new URL(location);
  if (url.protocol !== 'https:') return;
  const told = new URLSearchParams(url.search || url.hash.slice(1));
  const error = told.get('error') ?? 'invalid_request';
  const { headers, html } = renderPage({
    title: 'The application cannot be let in',
    body: markup`<p role="alert">${told.get('error_description') ?? error}</p>
      <p>An application that nobody has checked asked for something that is not there: <code>${error}</code></p>
      <p><a href="${location}" rel="noreferrer">Go back to ${url.host}</a> only if you came from there.</p>`,
  });
  ctx.remove('location');
  ctx.status = 400;
  ctx.set(headers);
  ctx.type = 'html';
  ctx.body = html;
}

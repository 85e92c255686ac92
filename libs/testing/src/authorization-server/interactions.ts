import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Interaction, InteractionResults, Provider } from 'oidc-provider';

/**
 * The pages between a request for authorization and its answer. Whoever comes as `?user=<name>` (or with a
 * `login_hint`) is signed in as that, and consents to everything; with `&deny=1` to nothing. A browser gets a form.
 */
export async function interact(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const query = new URL(req.url ?? '', provider.issuer).searchParams;
  const interaction = await provider.interactionDetails(req, res);
  if (query.get('deny')) return finish(provider, req, res, { error: 'access_denied' });
  if (interaction.prompt.name === 'consent') {
    const grantId = await grantTo(provider, interaction);
    return finish(provider, req, res, { consent: { grantId } });
  }
  const user = query.get('user') ?? interaction.params['login_hint'];
  if (typeof user !== 'string') return page(res);
  return finish(provider, req, res, { login: { accountId: user } });
}

async function finish(
  provider: Provider,
  req: IncomingMessage,
  res: ServerResponse,
  result: InteractionResults,
): Promise<void> {
  // A denial ends the interaction for whoever is signed in; a consent adds to what was said before.
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: !('error' in result) });
}

async function grantTo(provider: Provider, interaction: Interaction): Promise<string> {
  const { prompt, params, session, grantId } = interaction;
  const grant =
    (grantId ? await provider.Grant.find(grantId) : undefined) ??
    new provider.Grant({ accountId: session?.accountId, clientId: String(params['client_id']) });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details as {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {}))
    grant.addResourceScope(resource, scopes.join(' '));
  return grant.save();
}

function page(res: ServerResponse): void {
  res
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    .end('<form><label>User <input name="user"></label><button>Sign in</button></form>');
}

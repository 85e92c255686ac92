/** Signs a sample user in as a browser would: authorization code with PKCE, and the form. */
import { createHash, randomBytes } from 'node:crypto';

export type SignIn = { issuer: string; clientId: string; username: string; password: string };

export type SignedIn = {
  accessToken: string;
  idToken: string;
  refreshToken: string;
  expiresInSeconds: number;
};

type Metadata = { authorization_endpoint: string; token_endpoint: string };

/** Where the code comes back to. Nobody listens there: the last redirect is read, not followed. */
const redirectUri = 'http://127.0.0.1/callback';
const mostRedirects = 10;

/** Throws with the provider's own words when it does not let the user in. */
export async function signIn({ issuer, clientId, username, password }: SignIn): Promise<SignedIn> {
  const metadata = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Metadata;
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(metadata.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const callback = await throughForm(url, { username, password });
  const code = callback.searchParams.get('code');
  if (!code || callback.searchParams.get('iss') !== issuer)
    throw new Error(callback.searchParams.get('error_description') ?? 'no code came back');
  return redeem(metadata.token_endpoint, { code, code_verifier: verifier, client_id: clientId });
}

async function throughForm(start: URL, fields: Record<string, string>): Promise<URL> {
  const cookies = new Map<string, string>();
  let request: { url: URL; body?: URLSearchParams } = { url: start };
  for (let followed = 0; followed < mostRedirects; followed++) {
    const { url, body } = request;
    const headers = { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') };
    const init = { method: body ? 'POST' : 'GET', body, headers, redirect: 'manual' } as const;
    const answer = await fetch(url, init);
    keepCookies(cookies, answer);
    const location = answer.headers.get('location');
    if (!location && body) throw new Error(`the form was refused with status ${answer.status}`);
    if (!location)
      request = { url: new URL(formOf(await answer.text()), url), body: new URLSearchParams(fields) };
    else if (location.startsWith(redirectUri)) return new URL(location);
    else request = { url: new URL(location, url) };
  }
  throw new Error('the redirects never end');
}

function formOf(html: string): string {
  const action = /<form method="post" action="([^"]+)">/.exec(html)?.[1];
  if (!action) throw new Error('the provider shows no form');
  return action.replaceAll('&amp;', '&');
}

function keepCookies(cookies: Map<string, string>, answer: Response): void {
  for (const cookie of answer.headers.getSetCookie()) {
    const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split(/=(.*)/s);
    if (value) cookies.set(name, value);
    else cookies.delete(name);
  }
}

async function redeem(endpoint: string, parameters: Record<string, string>): Promise<SignedIn> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    redirect_uri: redirectUri,
    ...parameters,
  });
  const answer = await fetch(endpoint, { method: 'POST', body });
  const tokens = (await answer.json()) as Record<string, string> & { expires_in: number };
  if (!answer.ok) throw new Error(`${tokens.error}: ${tokens.error_description}`);
  return {
    accessToken: tokens.access_token ?? '',
    idToken: tokens.id_token ?? '',
    refreshToken: tokens.refresh_token ?? '',
    expiresInSeconds: tokens.expires_in,
  };
}

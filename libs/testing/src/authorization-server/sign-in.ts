/** Somebody's browser: follows redirects and keeps cookies, each origin's for itself. */
export class TestBrowser {
  private readonly jars = new Map<string, Map<string, string>>();

  /** One request; redirects are handed back. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const { origin } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map<string, string>();
    this.jars.set(origin, jar);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) keep(jar, cookie);
    return response;
  }

  /** Takes a cookie (`name=value`) that somebody else gave the browser for the origin of `url`. */
  set(url: string, cookie: string): void {
    const { origin } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map<string, string>();
    this.jars.set(origin, jar);
    if (cookie !== '') keep(jar, cookie);
  }

  /** From now on cookies of the one origin are the other's too: two servers of one name. */
  share(url: string, other: string): void {
    const jar = this.jars.get(new URL(url).origin) ?? new Map<string, string>();
    for (const one of [url, other]) this.jars.set(new URL(one).origin, jar);
  }

  /** The value of a cookie that the origin of `url` has set. */
  cookie(url: string, name: string): string | undefined {
    return this.jars.get(new URL(url).origin)?.get(name);
  }
}

function keep(jar: Map<string, string>, cookie: string): void {
  const [pair = '', ...attributes] = cookie.split(';').map((part) => part.trim());
  const at = pair.indexOf('=');
  const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
  const isGone = attributes.some((one) => /^max-age=0$/i.test(one) || /^expires=.* 1970 /i.test(one));
  if (isGone || value === '') jar.delete(name);
  else jar.set(name, value);
}

export type SignIn = {
  /** Of the authorization request. */
  url: string;
  user: string;
  /** Says no to consent. */
  deny?: boolean;
  /** Keeps who is signed in from one time to the next. */
  browser?: TestBrowser;
};

const MOST_REDIRECTS = 20;

/**
 * Signs a user in at an authorization server of `startAuthorizationServer`, consents, and returns the URL that its last
 * redirect leads to: the callback, which is not fetched.
 */
export async function signIn({
  url,
  user,
  deny = false,
  browser = new TestBrowser(),
}: SignIn): Promise<string> {
  const { origin } = new URL(url);
  let current = url;
  for (let followed = 0; followed < MOST_REDIRECTS; followed++) {
    const response = await browser.request(current);
    const location = response.headers.get('location');
    if (!location)
      throw new Error(`no redirect but ${response.status}: ${(await response.text()).slice(0, 500)}`);
    await response.body?.cancel();
    const next = new URL(location, current);
    if (next.origin !== origin) return next.href;
    if (next.pathname.startsWith('/interaction/')) {
      next.searchParams.set('user', user);
      if (deny) next.searchParams.set('deny', '1');
    }
    current = next.href;
  }
  throw new Error('the redirects never end');
}

/** The provider's pages: plain HTML that loads nothing, readable with a keyboard, a screen reader and without styles. */

const style = `
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 10vh auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
  label { display: block; margin-top: 1rem }
  input { font: inherit; width: 100%; padding: .5rem; border: 1px solid #595959; border-radius: .25rem; box-sizing: border-box }
  button { font: inherit; margin-top: 1.5rem; padding: .5rem 1rem; border: 0; border-radius: .25rem; color: #fff; background: #0b57d0 }
  [role=alert] { color: #b3001b }
  :focus-visible { outline: 3px solid #0b57d0; outline-offset: 2px }`;

/** Sent with every page. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
};

/** A page; `body` is HTML already. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}
</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

export type SignInForm = {
  /** Where the form is sent. */
  action: string;
  username?: string;
  problem?: string;
};

export function signInPage({ action, username = '', problem }: SignInForm): string {
  return page(
    'Sign in',
    `<p>To Switchyard on this machine, as one of its sample users.</p>
${problem ? `<p id="problem" role="alert">${escape(problem)}</p>` : ''}
<form method="post" action="${escape(action)}">
<label for="username">Username</label>
<input id="username" name="username" value="${escape(username)}" autocomplete="username" autocapitalize="none" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${problem ? ' aria-describedby="problem" aria-invalid="true"' : ''}>
<button>Sign in</button>
</form>`,
  );
}

export function messagePage(title: string, message: string): string {
  return page(title, `<p role="alert">${escape(message)}</p>`);
}

/** Text, made harmless in HTML. */
export function escape(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

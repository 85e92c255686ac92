/** The sign-in page between an authorization request and its answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { messagePage, pageHeaders, signInPage } from './pages.ts';
import type { SignInAttempts } from './sign-in-attempts.ts';

const mostBytes = 4_096;

const problems = {
  refused: 'Username or password is wrong. Both stand in dev.json in the data folder.',
  too_many: 'Too many attempts. Wait half a minute.',
};

/** Shows the page, or takes what was typed into it. */
export async function interact(
  provider: Provider,
  attempts: SignInAttempts,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  try {
    const { uid, prompt, params } = await provider.interactionDetails(req, res);
    // oidc-provider wants a consent of every native client; everything is granted already.
    if (prompt.name !== 'login')
      return await provider.interactionFinished(req, res, { consent: {} }, { mergeWithLastSubmission: true });
    const action = `/interaction/${uid}`;
    const hint = typeof params['login_hint'] === 'string' ? params['login_hint'] : undefined;
    if (req.method !== 'POST') return send(res, 200, signInPage({ action, username: hint }));
    await takeForm({ provider, attempts, req, res, action });
  } catch {
    if (!res.headersSent)
      send(
        res,
        400,
        messagePage(
          'That did not work',
          'This sign-in is over, or was begun in another browser. Begin again.',
        ),
      );
  }
}

type Form = {
  provider: Provider;
  attempts: SignInAttempts;
  req: IncomingMessage;
  res: ServerResponse;
  action: string;
};

async function takeForm({ provider, attempts, req, res, action }: Form): Promise<void> {
  const { origin } = req.headers;
  if (origin && origin !== provider.issuer)
    return send(res, 403, messagePage('That did not work', 'The form was sent from elsewhere.'));
  const fields = new URLSearchParams(await bodyOf(req));
  const username = (fields.get('username') ?? '').trim();
  const attempt = attempts.try(username, fields.get('password') ?? '');
  if (attempt !== 'accepted')
    return send(
      res,
      attempt === 'refused' ? 401 : 429,
      signInPage({ action, username, problem: problems[attempt] }),
    );
  await provider.interactionFinished(
    req,
    res,
    { login: { accountId: username } },
    { mergeWithLastSubmission: false },
  );
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of req.setEncoding('utf8')) {
    body += String(chunk);
    if (body.length > mostBytes) throw new Error('too much was sent');
  }
  return body;
}

export function send(res: ServerResponse, status: number, html: string): void {
  res.writeHead(status, pageHeaders).end(html);
}

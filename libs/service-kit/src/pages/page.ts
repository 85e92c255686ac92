import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { type Html, markup, Html as HtmlText } from './html.js';

const style = `:root{color-scheme:light dark;font-family:system-ui,sans-serif;line-height:1.5}
body{margin:0 auto;max-width:38rem;padding:2rem 1rem}
dt{font-weight:600;margin-top:.75rem}dd{margin:0}
button,.button{font:inherit;padding:.6rem 1.2rem;border:1px solid;border-radius:.4rem;cursor:pointer}
label{display:block;margin-top:.75rem}input{font:inherit;width:100%;padding:.4rem;box-sizing:border-box}
input[type=checkbox],input[type=radio]{width:auto;margin-inline-end:.5rem}
fieldset{border:0;margin:1rem 0;padding:0}legend{font-weight:600}
.note{border-inline-start:.25rem solid;padding-inline-start:.75rem}`;
const styleHash = createHash('sha256').update(style).digest('base64');

/** One page: what it is about, and what stands in it. */
export type Page = {
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
  /** Origins beside our own to which its form may lead. */
  readonly formTargets?: readonly string[];
};

/**
 * Browsers hold every redirect behind a form to the policy, and where a vendor or provider sends its users nobody knows.
 * Plain http is a developer's own machine.
 */
export const elsewhere = ['https:', 'http://127.0.0.1:*', 'http://localhost:*'];

/** Sends a page without scripts that nobody may frame, keep or send elsewhere. */
export function sendPage(reply: FastifyReply, page: Page): void {
  void reply
    .code(page.status ?? 200)
    .headers(pageHeaders(page.formTargets ?? []))
    .type('text/html; charset=utf-8')
    .send(document(page).text);
}

/** A page as headers and text, for servers that are not Fastify. */
export function renderPage(page: Page): { status: number; headers: Record<string, string>; html: string } {
  return {
    status: page.status ?? 200,
    headers: pageHeaders(page.formTargets ?? []),
    html: document(page).text,
  };
}

/** Sends the browser on. The answer is as little kept as a page. */
export function redirect(reply: FastifyReply, location: string): void {
  void reply.code(303).headers(pageHeaders([])).header('location', location).send('');
}

/** `same-origin` rather than `no-referrer`: browsers hide the origin of a form's request behind the latter. */
function pageHeaders(formTargets: readonly string[]): Record<string, string> {
  const targets = ["'self'", ...formTargets].join(' ');
  return {
    'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action ${targets}; base-uri 'none'; frame-ancestors 'none'`,
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  };
}

/** The style stands between its tags as it was hashed. */
function document({ title, body }: Page): Html {
  return markup`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} · Switchyard</title><style>${new HtmlText(style)}</style></head>
<body><main><h1>${title}</h1>
${body}
</main></body>
</html>
`;
}

import { randomUUID } from 'node:crypto';
import { inputRequired, UrlElicitationRequiredError } from '@modelcontextprotocol/server';
import type { ErrorInfo } from '@switchyard/contracts';
import { z } from 'zod';

/** The name of our request among the input requests of a 2026-07-28 result. */
export const connectRequest = 'connect';
const isPageRequest = /^connect(-\d+)?$/;

/** A page that a user has to open before a call can go through. */
export type Page = { readonly url: string; readonly message: string; readonly elicitationId?: string };

/** What a user can mend in a browser: our page, never the vendor's, so that it can check who stands before it. */
export type Reconnect = Page & { readonly integrationId: string };

const Details = z.looseObject({
  integration: z.string(),
  integration_id: z.string(),
  reauth_url: z.url({ protocol: /^https?$/ }),
});
/** The error -32042 of an upstream of 2025-11-25. */
const Asked = z.looseObject({
  upstream_code: z.literal(-32042),
  upstream_data: z.looseObject({
    elicitations: z
      .array(
        z.looseObject({
          url: z.url({ protocol: /^https?$/ }),
          message: z.string(),
          elicitationId: z.string().optional(),
        }),
      )
      .min(1)
      .max(10),
  }),
});

const Accepted = z.looseObject({ action: z.literal('accept') });

/** The page to open, if an error is one that connecting mends. */
export function reconnectOf({ code, details, message }: ErrorInfo): Reconnect | undefined {
  if (code !== 'needs_reauth' && code !== 'scope_insufficient') return undefined;
  const known = Details.safeParse(details);
  if (!known.success) return undefined;
  return { url: known.data.reauth_url, integrationId: known.data.integration_id, message };
}

/** The pages to open, ours or those of an upstream that asks for it by error. */
export function pagesOf(error: ErrorInfo): Page[] {
  const reconnect = reconnectOf(error);
  return reconnect ? [reconnect] : upstreamPagesOf(error);
}

/** The pages of an upstream that asks for them by error. */
export function upstreamPagesOf({ details }: ErrorInfo): Page[] {
  const asked = Asked.safeParse(details);
  return asked.success ? asked.data.upstream_data.elicitations : [];
}

/** How the handshake revisions ask for it: by the error -32042 (2025-11-25, "URL mode elicitation"). */
export function pagesRequired(pages: readonly Page[]): UrlElicitationRequiredError {
  const elicitations = pages.map(({ url, message, elicitationId }) => {
    return { mode: 'url' as const, elicitationId: elicitationId ?? randomUUID(), url, message };
  });
  return new UrlElicitationRequiredError(elicitations, pages[0]?.message);
}

/** How 2026-07-28 asks for it: each page is one of the result's input requests. */
export function pageRequests(pages: readonly Page[]): Record<string, unknown> {
  const requests = pages.map(({ url, message }, at) => {
    const name = at === 0 ? connectRequest : `${connectRequest}-${at + 1}`;
    return [name, inputRequired.elicitUrl({ url, message })] as const;
  });
  return Object.fromEntries(requests);
}

/** Whether the user opened each of the pages, by the client's word. */
export function wereOpened(responses: Record<string, unknown>): boolean {
  const answers = Object.keys(responses).filter((name) => isPageRequest.test(name));
  const isAccepted = (name: string) => Accepted.safeParse(responses[name]).success;
  return answers.includes(connectRequest) && answers.every(isAccepted);
}

/** An empty `elicitation: {}` means forms alone. */
export function opensUrls(capabilities: unknown): boolean {
  const { elicitation } = (capabilities ?? {}) as { elicitation?: { url?: unknown } };
  return typeof elicitation?.url === 'object' && elicitation.url !== null;
}

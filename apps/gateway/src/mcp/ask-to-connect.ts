import { randomUUID } from 'node:crypto';
import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  type InputRequiredResult,
  type ServerContext,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/server';
import type { ErrorInfo } from '@switchyard/contracts';
import { z } from 'zod';

/** The name of our request among the input requests of a 2026-07-28 result. */
export const connectRequest = 'connect';

/** What a user can mend in a browser: our page, never the vendor's, so that it can check who stands before it. */
export type Reconnect = { readonly url: string; readonly integrationId: string; readonly message: string };

/** What a client brings that decides how it is asked. */
export type Asked = {
  readonly context: Pick<ServerContext, 'mcpReq'>;
  /** Of `initialize`, for the revisions that have one. */
  readonly sessionCapabilities: Record<string, unknown> | undefined;
};

const Details = z.looseObject({
  integration: z.string(),
  integration_id: z.string(),
  reauth_url: z.url({ protocol: /^https?$/ }),
});
const Answers = z.looseObject({ [connectRequest]: z.looseObject({ action: z.string() }) });

/** The page to open, if an error is one that connecting mends. */
export function reconnectOf({ code, details, message }: ErrorInfo): Reconnect | undefined {
  if (code !== 'needs_reauth' && code !== 'scope_insufficient') return undefined;
  const known = Details.safeParse(details);
  if (!known.success) return undefined;
  return { url: known.data.reauth_url, integrationId: known.data.integration_id, message };
}

/** What the client answered to the last time that we asked, if this request is its retry. */
export function connectAnswer({ mcpReq }: Pick<ServerContext, 'mcpReq'>): string | undefined {
  const answers = Answers.safeParse(mcpReq.inputResponses);
  return answers.success ? answers.data[connectRequest].action : undefined;
}

/**
 * Asks a client that can open URLs to open the page: `-32042` in the handshake revisions (2025-11-25, "URL mode
 * elicitation"), thrown; an `input_required` result in 2026-07-28. Undefined for all others: they get the error as a result.
 * An empty `elicitation: {}` means forms alone.
 */
export function askToConnect({ url, message }: Reconnect, asked: Asked): InputRequiredResult | undefined {
  const envelope = asked.context.mcpReq.envelope as Record<string, unknown> | undefined;
  if (envelope) {
    if (!opensUrls(envelope[CLIENT_CAPABILITIES_META_KEY])) return undefined;
    return inputRequired({ inputRequests: { [connectRequest]: inputRequired.elicitUrl({ url, message }) } });
  }
  if (!opensUrls(asked.sessionCapabilities)) return undefined;
  throw new UrlElicitationRequiredError(
    [{ mode: 'url', elicitationId: randomUUID(), url, message }],
    message,
  );
}

function opensUrls(capabilities: unknown): boolean {
  const { elicitation } = (capabilities ?? {}) as { elicitation?: { url?: unknown } };
  return typeof elicitation?.url === 'object' && elicitation.url !== null;
}

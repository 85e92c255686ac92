import { z } from 'zod';
import { readApprovedTools } from './approved-tools.js';
import type { ChatRequest } from './chat-request.js';

const Body = z.looseObject({
  pending_tools: z.array(z.unknown()).min(1).max(200),
  approved: z.boolean(),
  session_id: z.string().min(1).max(256),
});

/** The body of the web handler of request shape 001; undefined for one that does not fit. */
export function readApprovals(value: unknown): (ChatRequest & { readonly chatId: string }) | undefined {
  const { data: body } = Body.safeParse(value);
  if (!body) return undefined;
  try {
    const turn = {
      kind: 'approved_tools',
      tools: readApprovedTools(body.pending_tools),
      approved: body.approved,
    } as const;
    return { chatId: body.session_id, agent: undefined, streams: false, holdsForApproval: false, turn };
  } catch {
    return undefined;
  }
}

import { z } from 'zod';
import { CallerContext } from './callers.js';

/** The kind of the one integration that serves the operator's own functions. The registry alone makes it. */
export const LOCAL_KIND = 'local';

/** Its command. Reserved: what it starts only dispatch's own settings say, and no entry of an allow-list may have the name. */
export const LOCAL_TOOLS_COMMAND = 'switchyard-local-tools';

/** In the wire object of a local tool: its own execution policy. Means nothing in any other's. */
export const policyMetaKey = 'io.switchyard/policy';

/** In the `_meta` of a call to a local tool: who makes it (`LocalCaller`). Set by dispatch, for no other kind. */
export const callerMetaKey = 'io.switchyard/caller';

/** Who calls a local tool, as its handler sees them. */
export const LocalCaller = z.strictObject({
  user_id: z.uuid().nullable(),
  organization_id: z.uuid(),
  call_id: z.uuid(),
  run_kind: CallerContext.shape.runKind,
  agent_id: z.uuid().nullable(),
});
export type LocalCaller = z.infer<typeof LocalCaller>;

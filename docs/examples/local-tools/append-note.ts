import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTool } from '@switchyard/local-tools';
import { z } from 'zod';

/** Changes something: a person approves it first, and a call is never sent twice. */
export default defineTool({
  name: 'append_note',
  title: 'Append a note',
  description: 'Appends one line to a notebook of the organization.',
  input: z.object({
    notebook: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,40}$/)
      .describe('Lower-case letters, digits and hyphens.'),
    text: z.string().min(1).max(1_000),
  }),
  policy: 'require_approval',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  async handler({ notebook, text }, { caller }) {
    // Whose notebook it is the caller's context says, never an argument.
    const file = join(tmpdir(), `switchyard-notes-${caller?.organization_id ?? 'nobody'}-${notebook}.txt`);
    const line = `${caller?.user_id ?? 'nobody'}: ${text.replace(/\s+/g, ' ')}`;
    await appendFile(file, `${line}\n`);
    return `Noted in ${notebook}.`;
  },
});

import { slugOf } from '@switchyard/access';
import { z } from 'zod';

const slugPattern = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Kebab-case, with room in 64 characters for a tool's name behind it. `_` is taken for `-`, as in mcp_client_name. */
export const Slug = z
  .string()
  .min(1)
  .max(48)
  .overwrite(slugOf)
  .regex(slugPattern, 'must be kebab-case: lower-case letters, digits and single hyphens')
  .describe('Kebab-case; an underscore is taken for a hyphen.');

/** A name for people. No control characters: it is shown in lists and logs. */
export const DisplayName = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'must not contain control characters');

/** So many calls in so many milliseconds. */
export const RateLimit = z.strictObject({
  limit: z.int().min(1).max(1_000_000),
  interval_ms: z.int().min(100).max(86_400_000),
});
export type RateLimit = z.output<typeof RateLimit>;

/** How a caller's tools are listed. */
export const ToolMode = z
  .enum(['all', 'search'])
  .describe(
    '`search`: three tools that find, describe and call the others, for catalogs that fill a context.',
  );

const longestInputBytes = 65_536;

/** What an agent is asked to do. */
export const AgentInput = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= longestInputBytes, 'must be at most 64 KiB');

/** The id in a path. */
export const ResourceId = z.uuid();

/** A list of tool names: absent or null is no filter, empty is no tool, `["*"]` alone is every tool. */
export const ToolNames = z
  .array(z.string().min(1).max(256))
  .max(10_000)
  .refine((names) => names.length === 1 || !names.includes('*'), 'must have "*" alone or not at all')
  .nullable();

import { errorCatalog } from '@switchyard/contracts';

/** The catalog of error codes as a page. */
export async function errorsPage(): Promise<string> {
  const rows = Object.entries(errorCatalog).map(
    ([code, { httpStatus, retry, family, publicMessage, next }]) =>
      `| \`${code}\` | ${httpStatus} | ${family} | ${retry} | ${publicMessage} | ${next} |`,
  );
  return `# Errors

Generated from \`libs/contracts/src/errors.ts\`; do not edit.

REST answers are problem documents (RFC 9457) with \`code\`, \`detail\`, \`next\` and, for a call, \`call_id\`. On \`/mcp\` the same
object is in the tool result's \`structuredContent\` (in \`_meta["io.switchyard/error"]\` where the tool has an output schema)
and in its text. \`retry\`: \`never\`, \`after_delay\` (the same call again, after \`Retry-After\` if there is one), \`after_action\`
(somebody has to do something first).

| code | HTTP | family | retry | meaning | what to do |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

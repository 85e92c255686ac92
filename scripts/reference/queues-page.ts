import { callTransitions, queues, stdioQueue, topics } from '@switchyard/contracts';
import { z } from 'zod';

/** Queues, bus topics and the states of a call as a page. */
export async function queuesPage(): Promise<string> {
  const all = [...Object.values(queues), { ...stdioQueue('<integration id>') }];
  const rows = all.map(({ name, consumer, what }) => `| \`${name}\` | ${consumer} | ${what} |`);
  const schemas = all.map(
    ({ name, payload, result }) => `### ${name}\n\nPayload\n\n${json(payload)}\n\nResult\n\n${json(result)}`,
  );
  return `# Queues and bus

Generated from \`libs/contracts/src/queues.ts\`, \`bus.ts\` and \`call-states.ts\`; do not edit. Payloads are parsed when
enqueued and again when taken. Jobs have one attempt and leave the store when they end.

| queue | consumer | what |
|---|---|---|
${rows.join('\n')}

## Bus

| topic | what |
|---|---|
${Object.values(topics)
  .map(({ name, what }) => `| \`${name}\` | ${what} |`)
  .join('\n')}

## States of a tool call

| from | to |
|---|---|
${Object.entries(callTransitions)
  .map(([from, to]) => `| \`${from}\` | ${to.map((state) => `\`${state}\``).join(', ') || 'ends here'} |`)
  .join('\n')}

## Schemas

${schemas.join('\n\n')}
`;
}

function json(schema: z.ZodType): string {
  return [
    '```json',
    JSON.stringify(z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }), null, 1),
    '```',
  ].join('\n');
}

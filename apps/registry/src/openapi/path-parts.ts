/** Parts of the paths of other services, which are told here by hand: one origin, one document. */

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

export const json = (name: string) => ({ content: { 'application/json': { schema: ref(name) } } });

export const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});

export const queryParameter = (name: string, type = 'string', description?: string) => ({
  name,
  in: 'query',
  required: false,
  schema: { type },
  ...(description && { description }),
});

export const pageParameters = [queryParameter('limit', 'integer'), queryParameter('cursor')];

export const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string' },
};

/** What a request may ask to see of what its caller has: names separated by commas. */
export const filterParameters = ['include_clients', 'exclude_clients', 'include_tools', 'exclude_tools'].map(
  (name) => queryParameter(name, 'string', 'Names separated by commas. Absent: no filter. Empty: nothing.'),
);

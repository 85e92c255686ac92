import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { queues, stdioQueue } from './queues.js';

const definitions = [...Object.values(queues), stdioQueue('0197e6a0-0000-7000-8000-000000000001')];

/** Fields that hold a secret only inside of a JWE, which is one string and named so. */
const secretLike = /token|secret|password|authorization|cookie|credential|api_?key|private/i;

/** Names that are like one, each with what it holds instead. */
const harmless: Record<string, string> = {
  subjectToken: 'a JWE to the broker’s key',
  subjectTokenSha256: 'a digest of that JWE',
  hasSubjectToken: 'yes or no',
  credential: 'the broker’s name for a token',
  authorization_server: 'a URL',
  authorization_endpoint: 'a URL',
  token_endpoint: 'a URL',
  token_endpoint_auth_method: 'the name of a method',
};

function fieldNames(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const properties = (schema as { properties?: Record<string, unknown> }).properties ?? {};
  return [...Object.keys(properties), ...Object.values(schema).flatMap(fieldNames)];
}

describe.each(definitions.map((definition) => [definition.name, definition] as const))(
  'queue %s',
  (name, definition) => {
    it('has a name that BullMQ takes', () => {
      expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
    });

    it('has a versioned payload', () => {
      const json = JSON.stringify(
        z.toJSONSchema(definition.payload, { unrepresentable: 'any', io: 'input' }),
      );
      expect(json).toContain('"const":1');
    });

    it('has no field for a secret', () => {
      const names = [definition.payload, definition.result].flatMap((schema) =>
        fieldNames(z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' })),
      );
      const suspects = names.filter((field) => secretLike.test(field));
      expect(suspects.filter((field) => !Object.hasOwn(harmless, field))).toEqual([]);
    });

    it('refuses a field that nobody declared', () => {
      expect(definition.payload.safeParse({ v: 1, surprise: true }).success).toBe(false);
    });
  },
);

it('gives every queue one name', () => {
  expect(new Set(definitions.map(({ name }) => name)).size).toBe(definitions.length);
});

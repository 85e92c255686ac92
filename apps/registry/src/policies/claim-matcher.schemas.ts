import { leftOutClaims, NotLinear, wholeMatch } from '@switchyard/access';
import { claimsOfTokens } from '@switchyard/contracts';
import { z } from 'zod';

const path = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'must not contain control characters')
  .refine((name) => name !== leftOutClaims, 'is no claim')
  .refine((name) => !claimsOfTokens.has(name), 'is of the token and not of its person: policies never see it')
  .describe(
    'Dotted path of the claim, or its whole name where that holds dots: `department`, `realm_access.roles`.',
  );

const Scalar = z.union([z.string().max(1_000), z.number(), z.boolean()]);
const Value = z.union([Scalar, z.array(Scalar).max(100), z.record(z.string().max(256), Scalar)]);

const Pattern = z
  .string()
  .max(1_000)
  .superRefine((pattern, context) => {
    const problem = patternProblem(() => wholeMatch(pattern));
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

/** One condition on a claim. What a token does not hold matches none of them. */
export const ClaimMatcher = z
  .discriminatedUnion('operator', [
    z.strictObject({ path, operator: z.enum(['EQUALS', 'NOT_EQUALS']), value: Value }),
    z.strictObject({ path, operator: z.enum(['CONTAINS', 'NOT_CONTAINS']), value: Scalar }),
    z.strictObject({
      path,
      operator: z.literal('MATCHES'),
      value: Pattern.describe(
        'A regular expression over the whole text, in linear time: no look-around, no back-reference.',
      ),
    }),
    z.strictObject({ path, operator: z.literal('EXISTS') }),
    z.strictObject({ path, operator: z.enum(['IN', 'NOT_IN']), value: z.array(Scalar).min(1).max(1_000) }),
  ])
  .describe(
    'EQUALS and NOT_EQUALS compare the whole value; CONTAINS an element of a list or a part of a text; IN any element. A claim that is absent or null never matches.',
  );
export type ClaimMatcher = z.output<typeof ClaimMatcher>;

/** Why a pattern is not taken, or undefined. */
export function patternProblem(compile: () => unknown): string | undefined {
  try {
    compile();
    return undefined;
  } catch (error) {
    return error instanceof NotLinear
      ? 'cannot be matched in linear time: leave out look-around, back-references, \\p{…} and nested or long repetitions'
      : 'is not a regular expression';
  }
}

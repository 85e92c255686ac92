import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ApprovalTerms, type Decider } from '@switchyard/contracts';
import { mayDecide } from './may-decide.js';

const asker = randomUUID();
const other = randomUUID();
const user = (userId: string, more: object = {}): Decider => ({
  ...{ kind: 'user', userId, roles: [], isAdmin: false },
  ...more,
});
const asked = (terms: object = {}, askedBy: string | null = asker) => ({
  askedBy,
  terms: ApprovalTerms.parse(terms),
});

describe('mayDecide', () => {
  it.each<[string, Decider, ReturnType<typeof asked>, boolean]>([
    ['an admin key', { kind: 'admin' }, asked({ selfApproval: false }), true],
    ['an admin', user(other, { isAdmin: true }), asked(), true],
    ['the user who asked', user(asker), asked(), true],
    ['the user who asked and must not', user(asker), asked({ selfApproval: false }), false],
    [
      'the user who asked and must not, though an admin, named, and of the role',
      user(asker, { isAdmin: true, roles: ['ops'] }),
      asked({ selfApproval: false, approverUserIds: [asker], approverRoles: ['ops'] }),
      false,
    ],
    ['a user who is named', user(other), asked({ approverUserIds: [other] }), true],
    [
      'a user of a role that is named',
      user(other, { roles: ['x', 'ops'] }),
      asked({ approverRoles: ['ops'] }),
      true,
    ],
    ['a user of other roles', user(other, { roles: ['x'] }), asked({ approverRoles: ['ops'] }), false],
    ['anybody else', user(other), asked(), false],
    ['anybody, where nobody in person asked', user(other), asked({}, null), false],
  ])('%s', (_who, decider, call, expected) => {
    expect(mayDecide(decider, call)).toBe(expected);
  });
});

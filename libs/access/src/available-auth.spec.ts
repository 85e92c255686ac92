import { describe, expect, it } from '@jest/globals';
import type { AuthMode, CallerContext, CredentialState } from '@switchyard/contracts';
import {
  idOf,
  keyCaller,
  keyFor,
  orgId,
  registered,
  snapshotOf,
  userCaller,
} from '../test-fixtures/snapshot-builder.js';
import type { IntegrationRecord } from './records.js';
import { findTool, resolveTools } from './resolve-tools.js';

const me = idOf('me');
const plain = keyFor('mail');
const mine = { ...keyFor('mail'), id: idOf('my key'), userId: me };
const callers = {
  'a user': userCaller(mine, me, 'mcp'),
  'a user with a token': { ...userCaller(mine, me, 'bff'), hasSubjectToken: true },
  'a machine key': keyCaller(plain),
  'a schedule': keyCaller(plain, 'schedule'),
  'a user’s schedule': { ...userCaller(mine, me, 'schedule'), hasSubjectToken: true },
} satisfies Record<string, CallerContext>;
type Who = keyof typeof callers;
const everybody = Object.keys(callers) as Who[];
const present: Who[] = ['a user', 'a user with a token'];

/** Who sees the tool; `findTool` has to agree. */
function whoSees(
  fields: Partial<IntegrationRecord> & { authMode: AuthMode },
  credential?: CredentialState,
): Who[] {
  const mail = registered({ slug: 'mail', ...fields }, ['send']);
  const serviceCredentials = new Map(credential ? [[mail.integration.id, credential]] : []);
  const snapshot = snapshotOf([mail], [plain, mine], { serviceCredentials });
  return everybody.filter((who) => {
    const isListed = resolveTools(snapshot, callers[who]).length === 1;
    expect(findTool(snapshot, callers[who], 'mail_send') !== undefined).toBe(isListed);
    return isListed;
  });
}

describe('who sees a tool, by the identity that a call of it would have', () => {
  it.each(['none', 'headers', 'client_credentials'] as const)('everybody, with %s', (authMode) => {
    expect(whoSees({ authMode })).toEqual(everybody);
  });

  it('those who can bring their own headers, where users have to', () => {
    expect(whoSees({ authMode: 'headers', userHeaderNames: ['X-Token'] })).toEqual(present);
  });

  it('users who are present, with authorization_code: who has not connected yet is told where', () => {
    expect(whoSees({ authMode: 'authorization_code' })).toEqual(present);
  });

  it.each([
    ['active', everybody],
    ['needs_update', everybody],
    ['needs_reauth', present],
    ['orphaned', present],
    ['pending', present],
    [undefined, present],
  ] as const)('with a service user whose credential is %s', (state, expected) => {
    const fields = { authMode: 'authorization_code', serviceUserId: me, serviceUserActive: true } as const;
    expect(whoSees(fields, state)).toEqual(expected);
  });

  it('nobody who is absent, where the service user of a global integration is another organization’s', () => {
    const fields = { authMode: 'authorization_code', serviceUserId: me, serviceUserActive: true } as const;
    const global = { ...fields, scope: 'global', orgId: idOf('operator') } as const;
    expect(whoSees(global, 'active')).toEqual(present);
  });

  it('nobody who is absent, where the service user was deactivated', () => {
    const fields = { authMode: 'authorization_code', serviceUserId: me, serviceUserActive: false } as const;
    expect(whoSees(fields, 'active')).toEqual(present);
  });

  it('those whose token can be exchanged, with token_exchange', () => {
    expect(whoSees({ authMode: 'token_exchange' })).toEqual(['a user with a token']);
  });
});

describe('signed-in users', () => {
  const mail = registered({ slug: 'mail' }, ['send', 'read']);
  const signedIn = (roles: string[], org = orgId): CallerContext => ({
    ...{ kind: 'user', orgId: org, userId: me, virtualKeyId: null, runKind: 'mcp' },
    ...{ roles, hasSubjectToken: true },
  });
  const policy = (id: string, roles: string[] | null, tools: string[]) => ({
    ...{ id: idOf(id), orgId, roles, matchers: [], effect: 'allow' as const, priority: 0, groupIds: [] },
    mcpConfigs: [{ mcpClientName: 'mail', toolsToExecute: tools }],
  });
  const policies = [policy('all', null, ['read']), policy('writers', ['writer'], ['send'])];
  const names = (caller: CallerContext, rows: Parameters<typeof snapshotOf>[2] = { policies }) =>
    resolveTools(snapshotOf([mail], [plain, mine], rows), caller).map(({ outwardName }) => outwardName);

  it('have what the policies of their roles add up to', () => {
    expect(names(signedIn([]))).toEqual(['mail_read']);
    expect(names(signedIn(['writer']))).toEqual(['mail_read', 'mail_send']);
    expect(names(signedIn(['Writer']))).toEqual(['mail_read']);
  });

  it('have nothing without a policy, with one of another organization, or once deactivated', () => {
    expect(names(signedIn(['writer']), {})).toEqual([]);
    expect(names(signedIn(['writer'], idOf('another organization')))).toEqual([]);
    expect(names(signedIn(['writer']), { policies, inactiveUsers: new Set([me]) })).toEqual([]);
    expect(names(userCaller(mine, me, 'mcp'), { inactiveUsers: new Set([me]) })).toEqual([]);
  });

  it('cannot call by the key of somebody else, nor as nobody by a key of their own', () => {
    expect(names(userCaller(mine, idOf('you'), 'mcp'))).toEqual([]);
    expect(names(userCaller(plain, me, 'mcp'))).toEqual([]);
    expect(names(keyCaller(mine))).toEqual([]);
  });
});

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { CallerContext, LeaseRequest, ToolCall } from '@switchyard/contracts';
import type { LeasedIntegration } from '../integrations/integrations.repository.js';
import type { LeaseAsk } from './lease-ask.js';
import { firstRefusal } from './lease-checks.js';

const orgId = randomUUID();
const userId = randomUUID();
const now = 1_000_000;
const caller: CallerContext = {
  ...{ kind: 'user', orgId, userId, virtualKeyId: null, runKind: 'mcp' },
  ...{ roles: [], hasSubjectToken: false },
};
const integration: LeasedIntegration = {
  id: randomUUID(),
  orgId,
  slug: 'notes',
  name: 'Notes',
  scope: 'organization',
  ownerUserId: null,
  authMode: 'headers',
  headerNames: [],
  envNames: [],
  userHeaderNames: [],
  oauth: null,
  serviceUserId: null,
  serviceUserActive: false,
  transport: { type: 'http', url: 'https://notes.example/mcp' },
  enabled: true,
  version: 1,
};

function sealedCall(overrides: Partial<ToolCall> = {}): LeaseRequest['call'] {
  const call: ToolCall = {
    v: 1,
    callId: randomUUID(),
    integrationId: integration.id,
    tool: 'add',
    outwardName: 'notes_add',
    caller,
    lane: 'interactive',
    ledgerFirst: false,
    argumentsSha256: '0'.repeat(64),
    subjectTokenSha256: null,
    acceptedAt: now - 10,
    deadlineAt: now + 1,
    runId: null,
    requestId: null,
    ...overrides,
  };
  return { call, seal: 'seal' };
}

function ask(request: Partial<LeaseRequest> = {}, facts: Partial<LeaseAsk> = {}): LeaseAsk {
  const recipient = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } as const;
  const base: LeaseRequest = {
    v: 1,
    orgId,
    integrationId: integration.id,
    call: sealedCall(),
    caller,
    recipient,
    refused: null,
    insufficientScopes: null,
    subjectToken: null,
  };
  return { request: { ...base, ...request }, isSealValid: true, integration, now, ...facts };
}

const discovery = { call: null, caller: null };
const userOwned = { ...integration, scope: 'user' as const, ownerUserId: userId };

describe('firstRefusal', () => {
  it.each([
    ['a sealed call of the organization', ask()],
    ['discovery', ask(discovery)],
    [
      'another organization’s call of a global integration',
      ask({}, { integration: { ...integration, scope: 'global', orgId: randomUUID() } }),
    ],
    ['a user’s call of the own integration', ask({}, { integration: userOwned })],
    ['discovery of a user’s integration', ask(discovery, { integration: userOwned })],
  ])('lets through %s', (_what, granted) => {
    expect(firstRefusal(granted)).toBeNull();
  });

  it.each([
    ['a forged call', ask({}, { isSealValid: false }), 'seal', 'forbidden'],
    ['another organization than the call’s', ask({ orgId: randomUUID() }), 'same_call', 'forbidden'],
    ['another integration than the call’s', ask({ integrationId: randomUUID() }), 'same_call', 'forbidden'],
    [
      'another caller than the call’s',
      ask({ caller: { ...caller, userId: randomUUID() } }),
      'same_call',
      'forbidden',
    ],
    ['a call without its caller', ask({ caller: null }), 'same_call', 'forbidden'],
    ['discovery on behalf of somebody', ask({ call: null }), 'same_call', 'forbidden'],
    [
      'a call past its deadline',
      ask({ call: sealedCall({ deadlineAt: now }) }),
      'deadline',
      'deadline_exceeded',
    ],
    ['an unknown integration', ask({}, { integration: null }), 'organization', 'not_found'],
    [
      'another organization’s integration',
      ask({}, { integration: { ...integration, orgId: randomUUID() } }),
      'organization',
      'not_found',
    ],
    [
      'another user’s integration',
      ask({}, { integration: { ...userOwned, ownerUserId: randomUUID() } }),
      'owner',
      'not_found',
    ],
    [
      'a disabled integration',
      ask({}, { integration: { ...integration, enabled: false } }),
      'enabled',
      'integration_unavailable',
    ],
  ])('refuses %s', (_what, refused, check, code) => {
    expect(firstRefusal(refused)).toMatchObject({ check, error: { code } });
  });
});

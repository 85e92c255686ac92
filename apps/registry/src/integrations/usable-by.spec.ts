import { describe, expect, it } from '@jest/globals';
import type { CredentialState } from '@switchyard/contracts';
import { newIntegration } from './apply-settings.js';
import type { IntegrationEntity } from './integration.entity.js';
import { CreateIntegration } from './integration.schemas.js';
import { usableBy } from './usable-by.js';

const orgId = '00000000-0000-4000-8000-000000000001';
const user = '00000000-0000-4000-8000-000000000009';
const body = CreateIntegration.parse({
  slug: 'a',
  transport: { type: 'http', url: 'https://mcp.example.com/' },
});
const everybody = ['chat', 'user_key', 'virtual_key', 'autonomous'];
const present = ['chat', 'user_key'];

function judge(
  fields: Partial<IntegrationEntity>,
  facts: { serviceUserActive?: boolean; serviceCredential?: CredentialState; state?: 'disconnected' } = {},
) {
  const row = Object.assign(newIntegration(orgId, body), fields);
  const known = { state: null, serviceUserActive: null, serviceCredential: null, ...facts };
  const callers = usableBy(row, known);
  const who = Object.entries(callers).flatMap(([name, { usable }]) => (usable ? [name] : []));
  return { who, callers };
}

describe('who can use an integration', () => {
  it.each<[string, Partial<IntegrationEntity>, string[]]>([
    ['none', { authMode: 'none' }, everybody],
    ['headers', { authMode: 'headers', headerNames: ['A'] }, everybody],
    ['headers of each user', { authMode: 'headers', userHeaderNames: ['A'] }, present],
    ['client_credentials', { authMode: 'client_credentials' }, everybody],
    ['authorization_code', { authMode: 'authorization_code' }, present],
    ['token_exchange', { authMode: 'token_exchange' }, ['chat']],
    ['a switch for chat', { availableInChat: false }, ['virtual_key', 'autonomous']],
    ['a switch for the rest', { availableToAutonomous: false }, present],
    ['all switched off', { enabled: false }, []],
  ])('with %s', (_what, fields, who) => {
    expect(judge(fields).who).toEqual(who);
  });

  it('says why not', () => {
    const why = (fields: Partial<IntegrationEntity>, name: 'chat' | 'user_key' | 'autonomous') =>
      judge(fields).callers[name].why;
    expect(why({ enabled: false }, 'chat')).toMatch(/disabled/);
    expect(why({ availableInChat: false }, 'chat')).toBe('available_in_chat is off.');
    expect(why({ availableToAutonomous: false }, 'autonomous')).toBe('available_to_autonomous is off.');
    expect(why({ authMode: 'headers', userHeaderNames: ['A'] }, 'autonomous')).toMatch(/nobody is present/);
    expect(why({ authMode: 'token_exchange' }, 'user_key')).toMatch(/a virtual key brings none/);
    expect(why({ authMode: 'token_exchange' }, 'autonomous')).toMatch(/nobody is present/);
    expect(judge({}, { state: 'disconnected' })).toMatchObject({
      who: [],
      callers: { chat: { why: expect.stringMatching(/disconnected/) } },
    });
  });

  it.each<[string, Parameters<typeof judge>[1], boolean, RegExp]>([
    ['is there', { serviceUserActive: true, serviceCredential: 'active' }, true, /service user/],
    ['lacks a scope', { serviceUserActive: true, serviceCredential: 'needs_update' }, true, /service user/],
    ['has not connected', { serviceUserActive: true }, false, /not connected yet/],
    ['has begun to', { serviceUserActive: true, serviceCredential: 'pending' }, false, /pending/],
    [
      'lost the consent',
      { serviceUserActive: true, serviceCredential: 'needs_reauth' },
      false,
      /needs_reauth/,
    ],
    ['is deactivated', { serviceUserActive: false, serviceCredential: 'active' }, false, /deactivated/],
  ])('unattended, where the service user %s', (_what, facts, usable, why) => {
    const { callers } = judge({ authMode: 'authorization_code', serviceUserId: user }, facts);
    for (const name of ['virtual_key', 'autonomous'] as const)
      expect(callers[name]).toEqual({ usable, why: expect.stringMatching(why) });
    expect(callers.chat.usable).toBe(true);
  });

  it('unattended, without a service user', () => {
    expect(judge({ authMode: 'authorization_code' }).callers.autonomous.why).toMatch(/not set/);
  });
});

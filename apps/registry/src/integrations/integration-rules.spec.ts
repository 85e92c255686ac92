import { describe, expect, it } from '@jest/globals';
import { IntegrationEntity } from './integration.entity.js';
import { brokenRules, warningsFor } from './integration-rules.js';
import type { Judged } from './integration-rules.js';

const http = { type: 'http', url: 'https://mcp.example.com/' } as const;
const stdio = { type: 'stdio', command: 'files', args: [] as string[] } as const;
const judge = (fields: Partial<Judged>) =>
  brokenRules({
    transport: http,
    authMode: 'none',
    serviceUserId: null,
    ownerUserId: null,
    headerNames: [],
    envNames: [],
    userHeaderNames: [],
    oauth: null,
    hasClientSecret: false,
    scope: 'organization',
    ...fields,
  });

describe('brokenRules', () => {
  it.each<[string, Partial<Judged>]>([
    ['an HTTP server without credential', {}],
    ['an HTTP server with headers', { authMode: 'headers', headerNames: ['Authorization'] }],
    ['a stdio server with settings in its environment', { transport: stdio, envNames: ['MEMORY_FILE_PATH'] }],
    [
      'a stdio server with secrets in its environment',
      { transport: stdio, authMode: 'headers', envNames: ['TOKEN'] },
    ],
    ['headers that users bring', { authMode: 'headers', userHeaderNames: ['X-Token'] }],
    [
      'headers of both kinds',
      { authMode: 'headers', headerNames: ['X-Team'], userHeaderNames: ['Authorization'] },
    ],
    ['consent where all is discovered', { authMode: 'authorization_code' }],
    ['consent with a service user', { authMode: 'authorization_code', serviceUserId: 'a user' }],
    ['consent by a public client', { authMode: 'authorization_code', oauth: { client_id: 'a' } }],
    [
      'a client of its own',
      { authMode: 'client_credentials', oauth: { client_id: 'a' }, hasClientSecret: true },
    ],
    ['an exchange for an audience', { authMode: 'token_exchange', oauth: { client_id: 'a', audience: 'b' } }],
    [
      'an exchange for a resource',
      { authMode: 'token_exchange', oauth: { client_id: 'a', resource: 'https://b.example' } },
    ],
  ])('accept %s', (_what, fields) => {
    expect(judge(fields)).toEqual([]);
  });

  it.each<[string, Partial<Judged>, string]>([
    ['an integration of one user without a user', { scope: 'user' }, 'owner_user_id'],
    ['an owner of what is everybody’s', { ownerUserId: 'a' }, 'owner_user_id'],
    ['OAuth for a stdio server', { transport: stdio, authMode: 'client_credentials' }, 'auth_mode'],
    ['headers for a stdio server', { transport: stdio, authMode: 'headers', headerNames: ['A'] }, 'headers'],
    ['an environment for an HTTP server', { envNames: ['A'] }, 'env'],
    ['headers without the mode', { headerNames: ['A'] }, 'headers'],
    ['the mode without headers', { authMode: 'headers' }, 'headers'],
    ['headers of users without the mode', { userHeaderNames: ['X-Token'] }, 'user_header_names'],
    [
      'headers of users for a stdio server',
      { transport: stdio, authMode: 'headers', envNames: ['A'], userHeaderNames: ['X-Token'] },
      'user_header_names',
    ],
    [
      'a header for everybody and for each',
      { authMode: 'headers', headerNames: ['X-Token'], userHeaderNames: ['x-token'] },
      'user_header_names',
    ],
    [
      'headers of users that the platform sets',
      { authMode: 'headers', userHeaderNames: ['Host'] },
      'user_header_names',
    ],
    ['OAuth without a mode of it', { oauth: {} }, 'oauth'],
    ['OAuth beside headers', { authMode: 'headers', headerNames: ['A'], oauth: {} }, 'oauth'],
    ['a client’s secret without a mode of it', { hasClientSecret: true }, 'client_secret'],
    [
      'a client’s secret without the client',
      { authMode: 'authorization_code', hasClientSecret: true },
      'client_secret',
    ],
    [
      'a secret of a client that shows none',
      {
        authMode: 'authorization_code',
        oauth: { client_id: 'a', token_endpoint_auth_method: 'none' },
        hasClientSecret: true,
      },
      'client_secret',
    ],
    [
      'no secret of a client that shows one',
      {
        authMode: 'token_exchange',
        oauth: { client_id: 'a', audience: 'b', token_endpoint_auth_method: 'client_secret_post' },
      },
      'client_secret',
    ],
    ['client_credentials without a client', { authMode: 'client_credentials' }, 'oauth.client_id'],
    [
      'client_credentials without a secret',
      { authMode: 'client_credentials', oauth: { client_id: 'a' } },
      'client_secret',
    ],
    [
      'an exchange without a client',
      { authMode: 'token_exchange', oauth: { audience: 'a' } },
      'oauth.client_id',
    ],
    ['an exchange for nobody', { authMode: 'token_exchange', oauth: { client_id: 'a' } }, 'oauth.audience'],
    [
      'a service user where nobody consents',
      { authMode: 'client_credentials', serviceUserId: 'a user' },
      'service_user_id',
    ],
  ])('refuse %s', (_what, fields, path) => {
    expect(judge(fields).map((error) => error.path)).toContain(path);
  });
});

describe('warningsFor', () => {
  const warn = (fields: Partial<IntegrationEntity>) =>
    warningsFor(Object.assign(new IntegrationEntity(), { transport: http, authMode: 'none', ...fields }));
  it('says what works otherwise than it looks', () => {
    expect(warn({})).toEqual([]);
    expect(warn({ transport: { type: 'http', url: 'https://mcp.example.com/?api_key=x' } })[0]).toMatch(
      /as headers instead/,
    );
    expect(warn({ toolsToExecute: ['a'], toolsToSkip: ['b'] })[0]).toMatch(/is ignored/);
  });
});

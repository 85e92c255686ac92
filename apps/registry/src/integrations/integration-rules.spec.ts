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
    headerNames: [],
    envNames: [],
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
    ['a mode that is not available yet', { authMode: 'authorization_code', serviceUserId: 'a user' }],
  ])('accept %s', (_what, fields) => {
    expect(judge(fields)).toEqual([]);
  });

  it.each<[string, Partial<Judged>, string]>([
    ['integrations of single users', { scope: 'user' }, 'scope'],
    ['OAuth for a stdio server', { transport: stdio, authMode: 'client_credentials' }, 'auth_mode'],
    ['headers for a stdio server', { transport: stdio, authMode: 'headers', headerNames: ['A'] }, 'headers'],
    ['an environment for an HTTP server', { envNames: ['A'] }, 'env'],
    ['headers without the mode', { headerNames: ['A'] }, 'headers'],
    ['the mode without headers', { authMode: 'headers' }, 'headers'],
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
  it('says what does not work yet, or not as it looks', () => {
    expect(warn({})).toEqual([]);
    expect(warn({ authMode: 'token_exchange' })[0]).toMatch(/not available yet/);
    expect(warn({ transport: { type: 'http', url: 'https://mcp.example.com/?api_key=x' } })[0]).toMatch(
      /as headers instead/,
    );
    expect(warn({ toolsToExecute: ['a'], toolsToSkip: ['b'] })[0]).toMatch(/is ignored/);
  });
});

import { describe, expect, it } from '@jest/globals';
import { applySettings, newIntegration, redirectedSecrets, vaultPuts } from './apply-settings.js';
import { CreateIntegration } from './integration.schemas.js';
import type { UpdateIntegrationBody } from './integration.schemas.js';

const http = { type: 'http', url: 'https://a.example/mcp' } as const;
const stdio = { type: 'stdio', command: 'files', args: [] as string[] } as const;
const orgId = '00000000-0000-4000-8000-000000000001';
const registered = (fields: object) =>
  newIntegration(orgId, CreateIntegration.parse({ slug: 'a', transport: http, ...fields }));
const withHeaders = registered({ headers: { A: '1', B: '2' } });
const withEnv = registered({ transport: stdio, env: { T: '1' } });

const change = (row: typeof withHeaders, body: UpdateIntegrationBody) => {
  const next = applySettings(row, body);
  return {
    next,
    puts: vaultPuts(row, next, body),
    redirected: redirectedSecrets(row, next, body).map(({ path }) => path),
  };
};

describe('a new integration', () => {
  it('has the mode that its secrets need, unless another is named', () => {
    expect(withHeaders).toMatchObject({ authMode: 'headers', headerNames: ['A', 'B'] });
    expect(registered({ headers: {} }).authMode).toBe('none');
    expect(withEnv).toMatchObject({ authMode: 'none', envNames: ['T'] });
    expect(registered({ user_header_names: ['A'] }).authMode).toBe('headers');
    expect(registered({ auth_mode: 'client_credentials' }).authMode).toBe('client_credentials');
  });
});

describe('a change', () => {
  it('leaves what it does not name, and does not touch the row it starts from', () => {
    const { next, puts } = change(withHeaders, { name: 'New', deadline_ms: null });
    expect(next).toEqual({ ...withHeaders, name: 'New' });
    expect(puts).toEqual([]);
    expect(withHeaders.name).toBe('a');
  });

  it('replaces headers as a whole', () => {
    const { next, puts } = change(withHeaders, { headers: { C: '3' } });
    expect(next.headerNames).toEqual(['C']);
    expect(puts).toEqual([{ kind: 'headers', values: { C: '3' } }]);
  });

  it('drops headers with the mode, and environment with the transport, from the vault too', () => {
    expect(change(withHeaders, { auth_mode: 'none' })).toMatchObject({
      next: { headerNames: [] },
      puts: [{ kind: 'headers', values: {} }],
    });
    expect(change(withEnv, { transport: http })).toMatchObject({
      next: { envNames: [] },
      puts: [{ kind: 'env', values: {} }],
    });
    expect(change(withHeaders, { transport: stdio, auth_mode: 'none' }).puts).toEqual([
      { kind: 'headers', values: {} },
    ]);
  });

  it.each<[string, UpdateIntegrationBody, string[]]>([
    ['another path of the origin', { transport: { type: 'http', url: 'https://a.example/other' } }, []],
    ['the other protocol of the origin', { transport: { type: 'sse', url: 'https://a.example/sse' } }, []],
    ['another origin', { transport: { type: 'http', url: 'https://b.example/mcp' } }, ['headers']],
    ['plain http', { transport: { type: 'http', url: 'http://a.example/mcp' } }, ['headers']],
    [
      'another origin, with values for it',
      { transport: { type: 'http', url: 'https://b.example/' }, headers: { A: 'new' } },
      [],
    ],
    [
      'another origin, without values',
      { transport: { type: 'http', url: 'https://b.example/' }, headers: {} },
      [],
    ],
  ])('to %s carries no stored value along unseen', (_what, body, expected) => {
    expect(change(withHeaders, body).redirected).toEqual(expected);
  });

  it('does not hand a stored environment to another command', () => {
    expect(change(withEnv, { transport: { ...stdio, command: 'other' } }).redirected).toEqual(['env']);
    expect(change(withEnv, { transport: { ...stdio, args: ['/data/b'] } }).redirected).toEqual([]);
  });
});

describe('the settings of OAuth', () => {
  const client = { client_id: 'a', authorization_server: 'https://id.example' };
  const withClient = registered({ auth_mode: 'authorization_code', oauth: client, client_secret: 'secret' });

  it('keep the secret in the vault and its mark in the row', () => {
    expect(withClient).toMatchObject({ oauth: client, hasClientSecret: true });
    expect(JSON.stringify(withClient)).not.toContain('"secret"');
    expect(vaultPuts(withClient, withClient, { client_secret: 'secret' })).toEqual([
      { kind: 'oauth_client', values: { client_secret: 'secret' } },
    ]);
  });

  it('are replaced as a whole, and go with the mode, the secret from the vault too', () => {
    const gone = { next: { hasClientSecret: false }, puts: [{ kind: 'oauth_client', values: {} }] };
    expect(change(withClient, { client_secret: null })).toMatchObject(gone);
    expect(change(withClient, { auth_mode: 'none' })).toMatchObject({ ...gone, next: { oauth: null } });
    expect(change(withClient, { oauth: { scopes: ['a'] }, client_secret: null }).next.oauth).toEqual({
      scopes: ['a'],
    });
    expect(
      change(registered({ user_header_names: ['A'] }), { auth_mode: 'none' }).next.userHeaderNames,
    ).toEqual([]);
  });

  it.each<[string, UpdateIntegrationBody, string[]]>([
    ['of other scopes', { oauth: { ...client, scopes: ['a'] } }, []],
    [
      'of another upstream of the same server',
      { transport: { type: 'http', url: 'https://b.example/' } },
      [],
    ],
    ['to another client', { oauth: { ...client, client_id: 'b' } }, ['client_secret']],
    [
      'to another server',
      { oauth: { ...client, authorization_server: 'https://evil.example' } },
      ['client_secret'],
    ],
    ['to a server to be found', { oauth: { client_id: 'a' } }, ['client_secret']],
    [
      'to another endpoint',
      { oauth: { ...client, token_endpoint: 'https://evil.example/' } },
      ['client_secret'],
    ],
    ['to another endpoint, with a secret', { oauth: { client_id: 'b' }, client_secret: 'new' }, []],
    ['to another endpoint, without one', { oauth: { client_id: 'b' }, client_secret: null }, []],
  ])('in a change %s carry no stored secret along unseen', (_what, body, expected) => {
    expect(change(withClient, body).redirected).toEqual(expected);
  });

  it('of a server to be found keep the secret at the upstream that names it', () => {
    const found = registered({
      auth_mode: 'authorization_code',
      oauth: { client_id: 'a' },
      client_secret: 'secret',
    });
    const moved = { transport: { type: 'http', url: 'https://b.example/' } } as const;
    expect(change(found, moved).redirected).toEqual(['client_secret']);
  });
});

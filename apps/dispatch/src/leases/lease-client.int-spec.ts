import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { IntegrationRecord } from '@switchyard/access';
import { DEFAULT_ORGANIZATION_ID, type LeaseAnswer, type LeaseRequest, queues } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import { CompactEncrypt, importJWK } from 'jose';
import { randomUUID } from 'node:crypto';
import { LeaseClient, type LeasedCall, LeaseRefused } from './lease-client.js';

const sealKey = 'a-seal-key-for-tests-of-32-characters';

/** A broker that counts what it is asked, and gives each asker the token of who they are. */
describe('LeaseClient', () => {
  let queue: QueueClient;
  let client: LeaseClient;
  let asked: LeaseRequest[] = [];
  let answer: (request: LeaseRequest, nth: number) => Promise<LeaseAnswer>;

  const integration = (authMode: IntegrationRecord['authMode']) =>
    ({
      ...{ id: randomUUID(), orgId: DEFAULT_ORGANIZATION_ID, version: 1, authMode },
      ...{ headerNames: ['Authorization'], envNames: [], userHeaderNames: [] },
    }) as unknown as IntegrationRecord;
  const callOf = (userId: string | null, subjectTokenSha256: string | null = null, runKind = 'mcp') => {
    const caller = {
      ...{ kind: userId ? 'user' : 'service', orgId: DEFAULT_ORGANIZATION_ID, userId, runKind },
      ...{ virtualKeyId: null, roles: [], hasSubjectToken: subjectTokenSha256 !== null },
    };
    const call = {
      ...{ v: 1, callId: randomUUID(), integrationId: randomUUID(), tool: 't', outwardName: 'a_t', caller },
      ...{ lane: 'interactive', ledgerFirst: false, argumentsSha256: '0'.repeat(64), subjectTokenSha256 },
      ...{ acceptedAt: 1, deadlineAt: 2, runId: null, requestId: null },
    };
    return { sealed: { call, seal: 'seal' } } as LeasedCall;
  };
  const granted = async (request: LeaseRequest, token: string): Promise<LeaseAnswer> => {
    const jwe = await new CompactEncrypt(
      Buffer.from(JSON.stringify({ headers: { Authorization: `Bearer ${token}` }, env: {} })),
    )
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
      .encrypt(await importJWK(request.recipient, 'ECDH-ES'));
    const whose = {
      authPath: 'user_token',
      principal: request.caller?.userId ?? 'nobody',
      credential: token,
    } as const;
    return { status: 'granted', jwe, expiresAt: Date.now() + 60_000, ...whose };
  };

  beforeAll(async () => {
    const options = { url: await testRedisUrl(), sealKey, service: 'test', prefix: testPrefix() };
    queue = await QueueClient.connect(options);
    queue.consume(queues.tokenLeases, (request) => answer(request, asked.push(request)), { concurrency: 16 });
    client = new LeaseClient(queue);
  });
  afterAll(() => queue.close());
  beforeEach(() => {
    asked = [];
    answer = (request, nth) => granted(request, `token-${nth}`);
  });

  it.each([
    ['authorization_code', 2],
    ['client_credentials', 1],
    ['headers', 1],
  ] as const)('shares a lease of %s as far as the broker would give the same', async (mode, leases) => {
    const one = integration(mode);
    const [ann, ben] = [randomUUID(), randomUUID()];
    for (const userId of [ann, ben, ann]) await client.lease(one, callOf(userId));
    expect(asked).toHaveLength(leases);
  });

  it('keeps users apart from the service user, and one subject token from the next', async () => {
    const code = integration('authorization_code');
    const ann = randomUUID();
    const present = await client.lease(code, callOf(ann));
    const absent = await client.lease(code, callOf(ann, null, 'schedule'));
    expect(absent.credential).not.toBe(present.credential);
    const exchange = integration('token_exchange');
    const first = await client.lease(exchange, callOf(ann, 'a'.repeat(64)));
    const second = await client.lease(exchange, callOf(ann, 'b'.repeat(64)));
    expect(second.credential).not.toBe(first.credential);
    expect(asked).toHaveLength(4);
  });

  it('asks once for a hundred calls that meet the same refused token', async () => {
    const one = integration('client_credentials');
    const { credential } = await client.lease(one, callOf(null));
    const refused = { credential, again: false };
    const leases = await Promise.all(
      Array.from({ length: 100 }, () =>
        client.lease(one, callOf(null), { refused, insufficientScopes: null }),
      ),
    );
    expect(new Set(leases.map((lease) => lease.credential))).toEqual(new Set(['token-2']));
    expect(asked.map((request) => request.refused)).toEqual([null, refused]);
  });

  it('gives the broker’s refusal on, keeps none of it, and shows where to connect', async () => {
    const details = { integration: 'mail', reauth_url: 'https://x.example/integrations/1/connect' };
    answer = (_request, nth) =>
      nth === 1
        ? Promise.resolve({
            status: 'refused',
            authPath: 'needs_reauth',
            error: { code: 'needs_reauth', message: 'Connect.', details },
          })
        : granted(_request, 'token');
    const one = integration('authorization_code');
    const call = callOf(randomUUID());
    const error = await client.lease(one, call).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LeaseRefused);
    expect(error).toMatchObject({ code: 'needs_reauth', authPath: 'needs_reauth', details });
    expect((await client.lease(one, call)).headers).toEqual({ Authorization: 'Bearer token' });
  });

  it('passes what the upstream missed on, and asks anew after it was told to forget', async () => {
    const one = integration('authorization_code');
    const call = callOf(randomUUID());
    await client.lease(one, call);
    await client.lease(one, call, { refused: null, insufficientScopes: ['admin'] });
    expect(asked.at(-1)?.insufficientScopes).toEqual(['admin']);
    client.forget(one.id);
    await client.lease(one, call);
    expect(asked).toHaveLength(3);
  });
});

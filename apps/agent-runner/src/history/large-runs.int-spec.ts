import { createHash } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AgentDefinition } from '@switchyard/contracts';
import type { Sql } from '@switchyard/database';
import { encodeCursor } from '@switchyard/service-kit';
import { eventually, testPrefix, testRedisUrl } from '@switchyard/testing';
import { ChatHarness, type ChatRunner } from '../chat/chat-harness-spec.js';
import { ChatRunsRepository } from '../chat/chat-runs.repository.js';
import { WatchedRunsRepository } from '../watch/watched-runs.repository.js';
import { exportRuns } from './export-runs.js';
import { historyRequestsAtOnce } from './history-requests.service.js';
import { HistoryRepository } from './history.repository.js';
import { addLargeRuns } from './large-runs-spec.js';

const adminKey = 'admin-key-of-the-tests';
/** Four megabytes each, of which the calls are one half and the output the other. */
const large = { runs: 12, calls: 8, resultBytes: 250_000 };

let harness: ChatHarness;
let runner: ChatRunner;
let agent: AgentDefinition;
let conversationId: string;
let runIds: string[];
let filter: { where: string; params: unknown[] };

beforeAll(async () => {
  const url = await testRedisUrl();
  harness = await ChatHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
  const keySha256 = createHash('sha256').update(adminKey).digest('hex');
  runner = await harness.startRunner({ AGENT_RUNNER_ADMIN_KEY_SHA256: keySha256 });
  agent = await harness.addAgent();
  const caller = harness.runs.caller({ userId: await harness.userId('ada') });
  ({ conversationId, runIds } = await addLargeRuns(harness.runs.sql, { agent, caller, ...large }));
  filter = { where: 'r.agent_id = $1', params: [agent.id] };
}, 120_000);
afterAll(() => harness.close());

/** The history, and how many bytes each of its statements has read so far. */
function countedHistory() {
  const read: number[] = [];
  const query = async (statement: string, params?: unknown[]) => {
    const rows = await harness.runs.sql.query(statement, params);
    read.push(JSON.stringify(rows).length);
    return rows;
  };
  return { history: new HistoryRepository({ query } as unknown as Sql), read };
}
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

describe('runs of large results', () => {
  it('are listed by what a list shows of them', async () => {
    const { history, read } = countedHistory();
    const rows = await history.runs(filter, 201);
    expect(rows.map(({ id }) => id)).toEqual([...runIds].reverse());
    expect(rows[0]).not.toHaveProperty('output');
    expect(sum(read)).toBeLessThan(large.runs * 1_000);
    const { items } = await harness.program(runner).read('/api/runs?limit=200');
    expect(items[0]).toMatchObject({ id: runIds.at(-1), kind: 'chat', user_id: expect.any(String) });
    const shown = await harness.program(runner).read(`/api/runs/${runIds[0]}`);
    expect(shown).toMatchObject({ input: { text: 'go' }, plan: null, usage: { input_tokens: 3 } });
    expect([shown.output.results.length, shown.calls.length]).toEqual([large.calls, large.calls]);
  });

  it('are exported a few at a time, as their lines are taken', async () => {
    const { history, read } = countedHistory();
    const lines = exportRuns(history, (cursor) => ({
      ...filter,
      where: cursor === undefined ? filter.where : 'false',
    }));
    expect(JSON.parse((await lines.next()).value as string)).toMatchObject({ id: runIds.at(-1) });
    expect(sum(read)).toBeLessThan(5_000_000);
    const rest: string[] = [];
    for await (const text of lines) rest.push(text);
    expect(rest.filter((text) => text.startsWith('{"record":"run"'))).toHaveLength(large.runs - 1);
    expect(rest).toHaveLength(large.runs * (2 + large.calls) - 1);
    expect(Math.max(...read)).toBeLessThan(5_000_000);
  });

  it('that are small are exported together, past one batch of them', async () => {
    const small = await harness.addAgent();
    const caller = harness.runs.caller({ userId: await harness.userId('ada') });
    const added = await addLargeRuns(harness.runs.sql, {
      ...{ agent: small, caller },
      ...{ runs: 120, calls: 1, resultBytes: 10 },
    });
    const exported = await harness.program(runner).get(`/api/runs/export?agent_id=${small.id}`);
    const records = (await exported.text())
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    const ids = records.filter(({ record }) => record === 'run').map(({ id }) => id);
    expect(ids).toEqual(added.runIds.reverse());
    expect(records).toHaveLength(120 * 3);
  });

  it('are a conversation whose pages end early, each turn read once and one after the other', async () => {
    const watched = runner.service.app.get(WatchedRunsRepository, { strict: false });
    const find = watched.find.bind(watched);
    let [open, most, found] = [0, 0, 0];
    watched.find = async (...args) => {
      most = Math.max(most, ++open);
      found += 1;
      return find(...args).finally(() => (open -= 1));
    };
    const ids: string[] = [];
    let pages = 0;
    for (let cursor = ''; cursor !== null; pages += 1) {
      const answer = await harness
        .program(runner)
        .get(`/api/conversations/${conversationId}?limit=50${cursor && `&cursor=${cursor}`}`);
      const text = await answer.text();
      expect(text.length).toBeLessThan(12_000_000);
      const { messages, next_cursor: next } = JSON.parse(text);
      ids.unshift(...messages.map(({ id }: { id: string }) => id));
      cursor = next;
    }
    expect(ids).toEqual(runIds.flatMap((id) => [`${id}-user`, id]));
    expect({ pages, most, found }).toEqual({ pages: 3, most: 1, found: large.runs });
    Reflect.deleteProperty(watched, 'find');
  });
});

describe('conversations with long first messages', () => {
  it('are listed with their titles, which are read a few at a time', async () => {
    const caller = harness.runs.caller({ userId: await harness.userId('tia') });
    const small = { agent, caller, runs: 1, calls: 0, resultBytes: 0 };
    const added: string[] = [];
    for (let at = 0; at < 45; at += 1)
      added.push((await addLargeRuns(harness.runs.sql, small)).conversationId);
    await harness.runs.sql.query(
      `UPDATE runs.runs SET input = json_build_object('text', conversation_id || repeat('é', 30000)) WHERE conversation_id = ANY($1)`,
      [added],
    );
    const chats = runner.service.app.get(ChatRunsRepository, { strict: false });
    const read: number[] = [];
    const firstInputs = chats.firstInputs.bind(chats);
    chats.firstInputs = async (ids) => {
      read.push(ids.length);
      return firstInputs(ids);
    };
    const { items } = await harness.program(runner).read('/api/conversations?limit=200', 'tia');
    Reflect.deleteProperty(chats, 'firstInputs');
    expect(read).toEqual([20, 20, 5]);
    const titles = added.map((id) => id + 'é'.repeat(80 - id.length)).reverse();
    expect(items.map(({ title }: { title: string }) => title)).toEqual(titles);
  });
});

describe('requests for runs and conversations, open at once', () => {
  const tokens = {
    'a user': () => harness.token('ada'),
    'an admin': () => harness.token('root', { roles: ['admin'] }),
    'an auditor': () => harness.token('eve', { roles: ['auditor'] }),
    'an admin key': async () => adminKey,
  };

  it.each(Object.keys(tokens) as (keyof typeof tokens)[])(
    'have a limit for %s, and give their places back when the client goes away in the middle',
    async (name) => {
      const headers = { authorization: `Bearer ${await tokens[name]()}` };
      const status = async (path: string) => (await fetch(runner.origin + path, { headers })).status;
      /** Its body is not read: the rest of the export waits. */
      const stalled = () =>
        new Promise<IncomingMessage>((resolve, reject) => {
          get(`${runner.origin}/api/runs/export?agent_id=${agent.id}`, { headers, agent: false }, resolve).on(
            'error',
            reject,
          );
        });
      for (let round = 0; round < 2; round += 1) {
        const open = await Promise.all(Array.from({ length: historyRequestsAtOnce }, stalled));
        expect(open.map(({ statusCode }) => statusCode)).toEqual(open.map(() => 200));
        const paths = ['/api/runs', `/api/runs/${runIds[0]}`, '/api/runs/export'];
        if (name === 'a user') paths.push('/api/conversations', `/api/conversations/${conversationId}`);
        for (const path of paths) expect([path, await status(path)]).toEqual([path, 429]);
        const refused = await fetch(`${runner.origin}/api/runs`, { headers });
        expect(await refused.json()).toMatchObject({ code: 'rate_limited', retry_after_ms: 1_000 });
        expect((await harness.program(runner).get('/api/runs', 'bob')).status).toBe(200);
        for (const one of open) one.on('error', () => undefined).destroy();
        await eventually(async () => (await status('/api/runs')) === 200);
        await eventually(async () => {
          const all = await Promise.all(open.map(() => status('/api/runs?limit=1')));
          return all.every((code) => code === 200);
        });
      }
    },
  );
});

describe('times that the database does not know', () => {
  const times = [
    '0000-01-01T00:00:00Z',
    '2020-01-01T00:00:00+23:59',
    `2020-01-01T00:00:00.${'1'.repeat(200)}Z`,
  ];

  it.each(times)('are refused as a bad request: %s', async (time) => {
    const paths = ['since', 'until'].flatMap((name) =>
      ['/api/runs', '/api/runs/export'].map((path) => `${path}?${name}=${encodeURIComponent(time)}`),
    );
    paths.push(`/api/conversations?cursor=${encodeCursor([time, runIds[0]])}`);
    for (const path of paths) {
      const answer = await harness.program(runner).get(path);
      expect([path, answer.status]).toEqual([path, 400]);
      expect(await answer.json()).toMatchObject({ code: 'invalid_request' });
    }
  });

  it('are all that is refused: its first and its last are known', async () => {
    for (const time of ['0001-01-01T15:59:00+15:59', '9999-12-31T23:59:59.999999999Z'])
      for (const path of ['/api/runs?limit=1&', '/api/runs/export?state=failed&'])
        expect((await harness.program(runner).get(`${path}since=${encodeURIComponent(time)}`)).status).toBe(
          200,
        );
  });
});

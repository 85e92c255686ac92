import { describe, expect, it } from '@jest/globals';
import { eventually, startAskingUpstream, watchedUri } from '@switchyard/testing';
import { call, closing, connect, failureOf, pair, target } from '../../test/sessions.js';

const list = { timeoutMs: 10_000 };

describe.each(['legacy', 'modern'] as const)('prompts and resources of a %s server', (era) => {
  async function asking(more: object = {}) {
    const upstream = await startAskingUpstream({ era, ...more });
    closing.push(() => upstream.close());
    return { upstream, session: await connect(target(upstream.url)) };
  }

  it('are listed as they are, on every page', async () => {
    const { session } = await asking({ pageSize: 1 });
    expect(await session.listFeatures('prompts', list)).toMatchObject([
      {
        name: 'summarize',
        title: 'Summarize',
        arguments: [{ name: 'note', required: true }, { name: 'style' }],
      },
    ]);
    const resources = await session.listFeatures('resources', list);
    expect(resources.map(({ uri }) => uri)).toEqual([watchedUri, 'note://yesterday']);
    expect(await session.listFeatures('templates', list)).toMatchObject([
      { uriTemplate: 'note://by-day/{day}' },
    ]);
    expect(session.upstream.capabilities).toMatchObject({ prompts: {}, resources: { subscribe: true } });
  });

  it('are none where the server has no such capability', async () => {
    const { session, upstream } = await pair({ era });
    expect(await session.listFeatures('prompts', list)).toEqual([]);
    expect(await session.listFeatures('templates', list)).toEqual([]);
    expect(upstream.requests).not.toContain('prompts/list');
  });

  it('are got, read and completed', async () => {
    const { session } = await asking();
    const prompt = await call(session, 'summarize', { note: 'today' }, { method: 'prompts/get' });
    expect(prompt).toEqual({
      description: 'A summary',
      messages: [{ role: 'user', content: { type: 'text', text: 'Summarize today, short.' } }],
    });
    const read = await call(session, 'note://by-day/monday', {}, { method: 'resources/read' });
    expect(read).toMatchObject({ contents: [{ uri: 'note://by-day/monday', text: expect.any(String) }] });
    const ref = { type: 'ref/prompt', name: 'summarize' };
    const args = { ref, argument: { name: 'style', value: 'sh' } };
    const completed = await call(session, 'summarize', args, { method: 'completion/complete' });
    expect(completed).toEqual({ completion: { values: ['short', 'shortest'], total: 2, hasMore: false } });
  });

  it('keeps code and data of an error', async () => {
    const { session } = await asking();
    const failure = await failureOf(call(session, 'note://none', {}, { method: 'resources/read' }));
    expect(failure).toMatchObject({
      failureClass: 'answered',
      error: {
        details: {
          upstream_code: -32602,
          upstream_data: { uri: 'note://none' },
        },
      },
    });
  });

  it('tells of changed lists and of updated resources, of those alone that are wanted', async () => {
    const { session, upstream } = await asking();
    let changes = 0;
    const updated: string[] = [];
    session.onListsChanged(() => changes++);
    session.onResourceUpdated((uri) => updated.push(uri));
    await session.subscribe([watchedUri], { timeoutMs: 5_000 });
    await eventually(async () => {
      await upstream.resourceUpdated(watchedUri);
      return updated.length > 0;
    });
    await eventually(async () => {
      await upstream.setFeatures({ prompts: [], resources: [], templates: [], complete: () => [] });
      return changes > 0;
    });
    await session.subscribe(['note://yesterday'], { timeoutMs: 5_000 });
    await eventually(async () => {
      await upstream.resourceUpdated('note://yesterday');
      return updated.includes('note://yesterday');
    });
    const before = updated.filter((uri) => uri === watchedUri).length;
    await upstream.resourceUpdated(watchedUri);
    await upstream.resourceUpdated('note://yesterday');
    await eventually(() => updated.at(-1) === 'note://yesterday');
    expect(updated.filter((uri) => uri === watchedUri)).toHaveLength(before);
  });
});

describe.each(['legacy', 'modern'] as const)('log messages of a %s server', (era) => {
  it('come from the wanted level on, also after a call that wanted fewer', async () => {
    const upstream = await startAskingUpstream({ era });
    closing.push(() => upstream.close());
    const session = await connect(target(upstream.url));
    const levels = async (logLevel: string): Promise<string[]> => {
      const logged: string[] = [];
      const onLog = ({ level }: { level: string }) => logged.push(level);
      await call(session, 'log_some', {}, { onLog, logLevel });
      return logged;
    };
    expect(await levels('warning')).toEqual(['warning']);
    expect(await levels('debug')).toEqual(['debug', 'info', 'warning']);
    expect(await levels('info')).toEqual(['info', 'warning']);
  });
});

import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import type { Switchyard } from '../harness/switchyard.js';
import { askingClient, type Era } from './asking-clients.js';

type Server = { readonly slug: string; readonly key: string };

/** Prompts, resources, completion, log messages and updates, across the eras. */
export function passesFeatures(switchyard: () => Switchyard, server: (era: Era) => Server): void {
  const eras = ['legacy', 'modern'] as const;
  const pairs = eras.flatMap((client) => eras.map((upstream) => ({ client, upstream })));

  it.each(pairs)('a $client client has all of a $upstream upstream', async ({ client: era, upstream }) => {
    const { slug, key } = server(upstream);
    const { client } = await askingClient(era, 'eve', { urls: switchyard().mcpUrls, key });
    const name = `${slug}_summarize`;
    const uri = `sy.${slug}+note://today`;
    const { prompts } = await client.listPrompts();
    expect(prompts.map((prompt: any) => prompt.name)).toContain(name);
    const prompt = await client.getPrompt({ name, arguments: { note: 'a' } });
    expect(prompt.messages[0].content.text).toBe('Summarize a, short.');
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name },
      argument: { name: 'style', value: 's' },
    });
    expect(completion.values).toEqual(['short', 'shortest']);
    const { resources } = await client.listResources();
    expect(resources.map((resource: any) => resource.uri)).toContain(uri);
    for (const one of [uri, `sy.${slug}+note://by-day/monday`]) {
      const { contents } = await client.readResource({ uri: one });
      expect(contents).toMatchObject([{ uri: one, text: `The note ${one.split('+')[1]}` }]);
    }
    const code = era === 'legacy' ? -32002 : -32602;
    const none = `sy.${slug}+note://none`;
    await expect(client.readResource({ uri: none })).rejects.toMatchObject({ code, data: { uri: none } });
    await client.close();
  });

  describe.each(pairs)('from a $upstream upstream to a $client client', ({ client: era, upstream }) => {
    it('updates of a resource come to those who subscribed', async () => {
      const { slug, key } = server(upstream);
      const { client, heard } = await askingClient(era, 'fay', { urls: switchyard().mcpUrls, key });
      const uri = `sy.${slug}+note://today`;
      if (era === 'legacy') await client.subscribeResource({ uri });
      else await client.listen({ resourceSubscriptions: [uri] });
      await eventually(
        async () => {
          await client.callTool({ name: `${slug}_touch_resource`, arguments: {} });
          expect(heard).toContainEqual(expect.objectContaining({ params: expect.objectContaining({ uri }) }));
          return true;
        },
        { timeoutMs: 20_000, intervalMs: 500 },
      );
      await client.close();
    });
  });

  it.each(eras)('log messages of a %s upstream come from the level that was chosen', async (upstream) => {
    const { slug, key } = server(upstream);
    const { client, heard } = await askingClient('legacy', 'gus', { urls: switchyard().mcpUrls, key });
    await client.setLoggingLevel('info');
    await client.callTool({ name: `${slug}_log_some`, arguments: {} });
    await eventually(() => {
      expect(heard.map(({ params }) => params.level)).toEqual(['info', 'warning']);
      return true;
    });
    await client.close();
  });
}

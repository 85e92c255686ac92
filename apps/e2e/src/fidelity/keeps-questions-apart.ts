import { describe, expect, it } from '@jest/globals';
import type { Switchyard } from '../harness/switchyard.js';
import { answerOf, askingClient, type AskingClient, type Era } from './asking-clients.js';

type Server = { readonly slug: string; readonly key: string };

/** Two clients before one upstream that asks: each is asked its own questions, whatever the eras. */
export function keepsQuestionsApart(switchyard: () => Switchyard, server: (era: Era) => Server): void {
  const eras = ['legacy', 'modern'] as const;
  describe.each(eras)('of %s clients', (clientEra) => {
    describe.each(eras)('before a %s upstream', (serverEra) => {
      const connect = (name: string, canBeAsked = true) => {
        const { key } = server(serverEra);
        return askingClient(clientEra, name, { urls: switchyard().mcpUrls, key, canBeAsked });
      };
      const call = async ({ client }: AskingClient, tool: string, args: object = {}) => {
        const result = await client.callTool({ name: `${server(serverEra).slug}_${tool}`, arguments: args });
        return String(result.content?.[0]?.text);
      };

      it('each is asked what its own call asks, and is believed', async () => {
        const clients = await Promise.all([connect('ann'), connect('bob')]);
        for (const [tool, method, params] of [
          ['ask_form', 'elicitation/create', 'message'],
          ['ask_url', 'elicitation/create', 'message'],
          ['ask_sampling', 'sampling/createMessage', 'messages'],
        ] as const) {
          const told = await Promise.all(
            clients.map((client) => call(client, tool, { message: `For ${client.name}` })),
          );
          for (const [at, { name, heard }] of clients.entries()) {
            expect(told[at]).toContain(tool === 'ask_url' ? '"accept"' : name);
            const [question, ...others] = heard.splice(0);
            expect(others).toEqual([]);
            expect(question?.method).toBe(method);
            expect(JSON.stringify(question?.params[params])).toContain(`For ${name}`);
          }
        }
        for (const { client } of clients) await client.close();
      });

      it('is asked twice by one call, and for its roots', async () => {
        const cleo = await connect('cleo');
        await call(cleo, 'ask_twice');
        expect(cleo.heard.splice(0).map(({ params }) => params.message)).toEqual(['First?', 'Second?']);
        expect(await call(cleo, 'ask_roots')).toContain(JSON.stringify(answerOf('roots/list', 'cleo')));
        await cleo.client.close();
      });

      it('one that cannot be asked is told so', async () => {
        const dumb = await connect('dumb', false);
        const told = await call(dumb, 'ask_form').catch((error: Error & { data?: unknown }) => {
          return `${error.message} ${JSON.stringify(error.data)}`;
        });
        expect(told).toMatch(/client_capability_missing|required client capabilit/);
        expect(told).toContain('"elicitation":{"form":{}}');
        expect(dumb.heard).toEqual([]);
        expect(await call(dumb, 'quiet')).toBe('Nothing was asked');
        await dumb.client.close();
      });
    });
  });
}

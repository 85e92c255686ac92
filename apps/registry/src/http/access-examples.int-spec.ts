import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import { listTools, sha256Of, wire } from '../../test-fixtures/catalog-rows.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const page = new URL('../../../../docs/access.md', import.meta.url);
const send = wire('send');

describe('the examples of docs/access.md', () => {
  const named: Record<string, string> = { ORG: DEFAULT_ORGANIZATION_ID };

  beforeAll(async () => {
    named['ID'] = (await registry().integration({ slug: 'mail' })).id;
    await listTools(registry().database.adminUrl, named['ID'] as string, [{ wire: send, approved: null }]);
    const selectors = [{ tool: '*_delete' }];
    named['GROUP'] = (await registry().post('/api/tool-groups', { name: 'g', selectors })).body.id;
  });

  it('are all taken', async () => {
    const text = (await readFile(page, 'utf8')).replaceAll(
      /'?\$(ORG|GROUP|ID)'?/g,
      (_, name: string) => named[name] ?? '',
    );
    const examples = [...text.matchAll(/^api (GET|POST|PATCH) "?([^\s"]+)"?(?: '([^']*)')?/gm)];
    expect(examples.length).toBeGreaterThan(10);
    for (const [, method = '', path = '', body] of examples) {
      const sent = body?.replace('"…"', `"${sha256Of(send)}"`);
      const answer = await registry().send(method, `/api/${path}`, sent === undefined ? {} : { body: sent });
      expect({ method, path, status: answer.status, errors: answer.body?.errors }).toEqual({
        ...{ method, path, errors: undefined },
        status: method === 'POST' && !/preview|approve/.test(path) ? 201 : 200,
      });
    }
  });
});

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createEgressPolicy, type EgressPolicy } from '@switchyard/mcp-client';
import { documentFetch } from './document-fetch.js';

describe('documentFetch', () => {
  let site: Server;
  let egress: EgressPolicy;
  let fetchDocument: typeof fetch;
  let status = 200;
  const bodyOf = (path: string) => {
    if (path === '/large') return 'x'.repeat(70_000);
    return JSON.stringify(path === '/keys' ? { keys: [] } : { client_id: urlOf(path) });
  };
  const urlOf = (path: string) => `http://127.0.0.1:${(site.address() as AddressInfo).port}${path}`;

  beforeAll(async () => {
    site = createServer((request, response) => {
      const body = bodyOf(request.url ?? '');
      response.writeHead(status, { 'cache-control': 'max-age=60', 'set-cookie': 'a=b' }).end(body);
    });
    await once(site.listen(0, '127.0.0.1'), 'listening');
    egress = createEgressPolicy({ allowPrivate: true });
    fetchDocument = documentFetch(egress);
  });
  afterAll(async () => {
    site.close();
    await egress.close();
  });

  it('gives the document, and the last good one while the site is away', async () => {
    const read = async () => {
      const response = await fetchDocument(urlOf('/client'));
      return [response.status, await response.text(), response.headers.get('cache-control')];
    };
    const good = [200, bodyOf('/client'), 'max-age=60'];
    expect(await read()).toEqual(good);
    status = 503;
    expect(await read()).toEqual(good);
    await expect(fetchDocument(urlOf('/never-seen'))).rejects.toThrow('503');
    // What its owner has taken away is away.
    status = 404;
    expect((await fetchDocument(urlOf('/client'))).status).toBe(404);
    status = 200;
  });

  it('gives keys that its owner may have taken away for minutes, the document for a day', async () => {
    status = 200;
    const read = async (path: string) => (await fetchDocument(urlOf(path))).status;
    expect([await read('/keys'), await read('/client')]).toEqual([200, 200]);
    status = 503;
    expect(await read('/keys')).toBe(200);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 360_000);
    try {
      await expect(read('/keys')).rejects.toThrow('503');
      expect(await read('/client')).toBe(200);
    } finally {
      clock.mockRestore();
      status = 200;
    }
  });

  it('takes no document that is larger than such documents are', async () => {
    await expect(fetchDocument(urlOf('/large'))).rejects.toThrow();
  });
});

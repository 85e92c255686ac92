import { createServer, get, Agent, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { drainConnections } from './drain-connections.js';

async function listen(answer: (response: ServerResponse) => void) {
  const server = createServer((_request, response) => answer(response));
  server.keepAliveTimeout = 60_000;
  const letGo = drainConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, letGo, port: (server.address() as AddressInfo).port };
}

describe('drainConnections', () => {
  it('lets go of connections on which nothing was asked', async () => {
    const { server, letGo, port } = await listen((response) => response.end());
    const silent = connect(port, '127.0.0.1');
    await once(server, 'connection');
    const closed = once(server, 'close');
    server.close();
    letGo();
    await closed;
    silent.destroy();
  });

  it('waits for a running request, and then for nothing more', async () => {
    const running = Promise.withResolvers<ServerResponse>();
    const { server, letGo, port } = await listen((response) => running.resolve(response));
    const agent = new Agent({ keepAlive: true });
    const answered = new Promise<string>((resolve) => {
      get({ port, agent }, (response) => response.setEncoding('utf8').on('data', resolve));
    });
    const response = await running.promise;
    const closed = once(server, 'close');
    server.close();
    letGo();
    response.end('the answer');
    expect(await answered).toBe('the answer');
    await closed;
    agent.destroy();
  });
});

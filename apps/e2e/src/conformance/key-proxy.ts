import { createServer, request as send } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export type KeyProxy = { readonly origin: string; close(): Promise<void> };

/** Stands before the gateway for clients that cannot send a credential: adds the key, and changes nothing else. */
export async function startKeyProxy(origin: string, key: string): Promise<KeyProxy> {
  const target = new URL(origin);
  const server = createServer((incoming, answer) => {
    const { method, url: path, headers } = incoming;
    const outgoing = send({
      ...{ host: target.hostname, port: target.port, method, path, setHost: false },
      headers: { ...headers, authorization: `Bearer ${key}` },
    });
    outgoing.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

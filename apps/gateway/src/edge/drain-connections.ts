import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Follows the connections of a server, so that its `close` waits for requests and for nothing else. Node by itself
 * also waits for connections on which no request came yet, and for the keep-alive time of those whose last answer
 * ended after the close began. Gives the function that begins to let go.
 */
export function drainConnections(server: Server): () => void {
  /** Open connections, with the number of requests that are not answered yet. */
  const connections = new Map<Socket, number>();
  let isDraining = false;
  server.on('connection', (socket: Socket) => {
    connections.set(socket, 0);
    socket.once('close', () => connections.delete(socket));
  });
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    connections.set(socket, (connections.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const open = (connections.get(socket) ?? 1) - 1;
      if (connections.has(socket)) connections.set(socket, open);
      if (isDraining && open === 0) socket.destroySoon();
    });
  });
  return () => {
    isDraining = true;
    for (const [socket, open] of connections) if (open === 0) socket.destroy();
  };
}

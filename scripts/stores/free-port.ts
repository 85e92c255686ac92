import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below what Linux (32768) and others (49152) hand out by themselves. A port that the system chose may be given to the
 * next process that asks for any (each service's operations port does), before the one it was chosen for listens.
 */
const first = 20_000;
const last = 32_767;
const mostTries = 100;

/** Whether a TCP port of the loopback interface can be listened on now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A TCP port of the loopback interface that was free a moment ago, and that nobody is given by chance. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < mostTries; tries++) {
    const port = randomInt(first, last + 1);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${first} and ${last}`);
}

import { randomBytes } from 'node:crypto';
import { createConnection } from 'node:net';
import { testSettings } from './test-settings.js';

/**
 * The URL of a Redis database that no other test file uses. On a server of the operator's own (`TEST_REDIS_URL`) it
 * is the URL as given: there, and for publish/subscribe, which knows no databases, `testPrefix()` keeps tests apart.
 */
export async function testRedisUrl(): Promise<string> {
  const { redisUrl, redisDatabases } = testSettings();
  if (redisDatabases === 0) return redisUrl;
  const count = await increment(redisUrl, 'switchyard-test-databases');
  return `${redisUrl}/${1 + (count % (redisDatabases - 1))}`;
}

/** A prefix for keys and channels that no other test file uses. */
export function testPrefix(): string {
  return `test-${randomBytes(6).toString('hex')}`;
}

/** One command over a bare socket: this library has no Redis client, which only libs/queue may import. */
async function increment(url: string, key: string): Promise<number> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port || 6379) });
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      socket.setEncoding('utf8').once('error', reject).once('data', resolve);
      socket.write(`INCR ${key}\r\n`);
    });
    return Number(/^:(\d+)/.exec(answer)?.[1]);
  } finally {
    socket.destroy();
  }
}

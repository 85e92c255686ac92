import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** Everything that was seen in a store from its beginning to `stop`. */
export type Watch = { text(): string; stop(): Promise<void> };

const pauseMs = 100;

/** Reads every row of every table, again and again: jobs do not stay. */
export function watchDatabase(adminUrl: string): Watch {
  const seen = new Set<string>();
  let stopping = false;
  const watching = (async () => {
    const client = new pg.Client({ connectionString: adminUrl });
    await client.connect();
    do {
      for (const row of await allRows(client)) seen.add(row);
      await delay(pauseMs);
    } while (!stopping);
    await client.end();
  })();
  return {
    text: () => [...seen].join('\n'),
    stop: async () => {
      stopping = true;
      await watching;
    },
  };
}

async function allRows(client: pg.Client): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const rows: string[] = [];
  for (const { name } of tables) {
    const { rows: some } = await client.query<{ row: string }>(
      `SELECT '${name} ' || t::text AS row FROM ${name} t`,
    );
    rows.push(...some.map(({ row }) => row));
  }
  return rows;
}

/** Listens to every command that the server is given, by whichever client. */
export async function watchRedis(url: string): Promise<Watch> {
  const { hostname, port } = new URL(url);
  const socket: Socket = createConnection({ host: hostname, port: Number(port) });
  const chunks: string[] = [];
  await new Promise<void>((resolve, reject) => {
    socket
      .once('error', reject)
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        chunks.push(chunk);
        resolve();
      });
    socket.write('MONITOR\r\n');
  });
  return {
    text: () => chunks.join(''),
    stop: () => new Promise((resolve) => socket.end(() => resolve())),
  };
}

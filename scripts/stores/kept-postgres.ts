/** A PostgreSQL that is started again on its port when it dies: services heal by themselves, if there is a store again. */
import { setTimeout as delay } from 'node:timers/promises';
import { type PostgresOptions, type PostgresServer, startPostgres } from './postgres-server.ts';

/** A server that lived so long was well: what ended it now is another matter. */
const wellAfterMs = 60_000;
const mostRestartsInARow = 4;
const firstPauseMs = 250;

export type KeptPostgresOptions = PostgresOptions & { onRestart: (pauseMs: number) => void };

/** Starts the server and keeps it running. `ended` resolves once it was stopped, or once it does not stay up any more. */
export async function keepPostgres(options: KeptPostgresOptions): Promise<PostgresServer> {
  let server = await startPostgres(options);
  const port = Number(new URL(server.url).port);
  let isStopping = false;

  const keepRunning = async (): Promise<number> => {
    for (let restarts = 0, startedAt = Date.now(); ; startedAt = Date.now()) {
      const code = await server.ended;
      if (Date.now() - startedAt > wellAfterMs) restarts = 0;
      if (isStopping || ++restarts > mostRestartsInARow) return code;
      const pauseMs = firstPauseMs * 2 ** (restarts - 1);
      options.onRestart(pauseMs);
      await delay(pauseMs);
      if (isStopping) return code;
      const next = await startPostgres({ ...options, port }).catch(() => undefined);
      if (!next) return code;
      server = next;
      // Somebody may have asked for the end while it started.
      if (isStopping) await server.stop();
    }
  };
  const ended = keepRunning();
  const end = async (how: 'stop' | 'kill'): Promise<void> => {
    isStopping = true;
    await server[how]();
    await ended;
  };
  return { url: server.url, ended, stop: () => end('stop'), kill: () => end('kill') };
}

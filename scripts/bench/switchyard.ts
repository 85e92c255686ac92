/** A whole Switchyard of its own: stores, every service as in `npm start`, and the upstream, all on free ports. */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from '../build.ts';
import { cleanDataFolder, makeDataFolder } from '../start/data-folder.ts';
import { type EnvironmentInput, migratorEnvironment, serviceEnvironment } from '../start/environments.ts';
import { parseOptions, type ServiceName, services } from '../start/options.ts';
import { choosePorts } from '../start/ports.ts';
import { loadSecrets } from '../start/secrets.ts';
import { ServiceLog } from '../start/service-log.ts';
import { openStores } from '../start/stores.ts';
import { SupervisedService } from '../start/supervised-service.ts';
import { freePort } from '../stores/free-port.ts';
import { startRedis } from '../stores/redis-server.ts';

export type QueueBackend = 'redis' | 'postgres';
export type Switchyard = {
  backend: QueueBackend;
  gatewayUrl: string;
  adminKey: string;
  upstreamUrl: string;
  pidOf(service: ServiceName): number;
  opsUrlOf(service: ServiceName): string;
  stop(): Promise<void>;
};

const root = join(import.meta.dirname, '../..');
const running = new Set<() => Promise<void>>();

/** Ends whatever was started, even if it is not up yet. */
export async function stopAll(): Promise<void> {
  await Promise.allSettled([...running].map((stop) => stop()));
}

/** Starts it in `folder`, which must be new. With `profiles`, services wait for the signal of `profile-window.ts`. */
export async function startSwitchyard(
  backend: QueueBackend,
  { folder, profiles }: { folder: string; profiles?: string },
): Promise<Switchyard> {
  const cleanUp: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of cleanUp.splice(0).reverse()) await step();
    running.delete(stop);
  };
  running.add(stop);
  try {
    await build();
    const input = await openInput(backend, folder, cleanUp);
    await migrate(input);
    const fleet = startServices(input, { folder, profiles });
    cleanUp.push(() => Promise.all([...fleet.values()].map((service) => service.stop())));
    await Promise.all([...fleet.values()].map((service) => service.firstReady));
    return {
      backend,
      gatewayUrl: `http://127.0.0.1:${input.ports.gateway}`,
      adminKey: input.secrets.adminKey,
      upstreamUrl: await startUpstream(cleanUp),
      pidOf: (name) => fleet.get(name)?.pid ?? 0,
      opsUrlOf: (name) => `http://127.0.0.1:${fleet.get(name)?.address?.opsPort}`,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openInput(
  backend: QueueBackend,
  folder: string,
  cleanUp: (() => unknown)[],
): Promise<EnvironmentInput> {
  makeDataFolder(folder);
  cleanUp.push(() => cleanDataFolder(folder));
  const secrets = loadSecrets(folder);
  const options = parseOptions([], { SWITCHYARD_DATA_DIR: folder }, root);
  if (!options) throw new Error('no options');
  const redis = backend === 'redis' ? await startRedis() : undefined;
  if (redis) cleanUp.push(() => redis.stop());
  const stores = await openStores({ ...options, queueUrl: redis?.url }, secrets);
  cleanUp.push(() => stores.stop());
  const ports = await choosePorts(await freePort(), options.scale);
  const { PATH, LOG_LEVEL } = process.env;
  return { stores, secrets, ports, allowlist: '', given: { PATH, LOG_LEVEL } };
}

async function migrate(input: EnvironmentInput): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, 'scripts/migrate.ts')], {
    env: migratorEnvironment(services, input),
  });
}

function startServices(
  input: EnvironmentInput,
  { folder, profiles }: { folder: string; profiles?: string },
): Map<ServiceName, SupervisedService> {
  const preload = join(import.meta.dirname, 'profile-window.ts');
  const profiling = profiles && { NODE_OPTIONS: `--import=${preload}`, SWITCHYARD_BENCH_PROFILES: profiles };
  const start = (name: ServiceName) =>
    new SupervisedService({
      name,
      main: join(root, 'apps', name, 'dist/src/main.js'),
      env: { ...serviceEnvironment(name, 0, input), ...profiling },
      log: new ServiceLog(name, join(folder, 'logs', `${name}.log`)),
      onReady: () => undefined,
      onRestart: (why) => process.stderr.write(`[${name}] ended (${why}) and is started again\n`),
    });
  return new Map(services.map((name) => [name, start(name)]));
}

async function startUpstream(cleanUp: (() => unknown)[]): Promise<string> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'upstream.ts'), { execArgv: [] });
  cleanUp.push(() => child.kill());
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return `http://127.0.0.1:${port}`;
}

/** What may be said to `npm start`, after `--` and in the environment. */
import { parseArgs } from 'node:util';
import { resolve } from 'node:path';

/** In the order in which they are listed in `dev.json`. */
export const services = [
  'registry',
  'catalog-sync',
  'token-broker',
  'dispatch',
  'agent-runner',
  'gateway',
] as const;
export type ServiceName = (typeof services)[number];

export type StartOptions = {
  isClean: boolean;
  hasSamples: boolean;
  scale: Record<ServiceName, number>;
  /** 0: a free one. */
  port: number;
  isPortGiven: boolean;
  dataFolder: string;
  databaseUrl?: string;
  queueUrl?: string;
};

/** Wrong use; the message is for the person at the console. */
export class UsageError extends Error {}

export const help = `npm start [-- options]

  --clean            forget all data of earlier starts
  --scale NAME=N     run N processes of a service (repeatable): ${services.join(', ')}
  --no-samples       bring no sample servers and no sample users, and make no first call
  --help             this text

Environment
  PORT                 port of the gateway (8080; 0 for a free one)
  SWITCHYARD_DATA_DIR  folder of the data (.switchyard)
  DATABASE_URL         PostgreSQL to use instead of the embedded one, as a user who may create roles
  QUEUE_URL            store of the queue, redis://… or postgres://… (by default the same PostgreSQL)
  LOG_LEVEL            and every setting of a service (docs/reference/config.md), handed on to that service
`;

/** Reads arguments and environment. Throws `UsageError`; gives `undefined` when help was asked for. */
export function parseOptions(args: string[], env: NodeJS.ProcessEnv, root: string): StartOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  return {
    isClean: values.clean,
    hasSamples: !values['no-samples'],
    scale: parseScale(values.scale),
    port: parsePort(env.PORT),
    isPortGiven: Boolean(env.PORT),
    dataFolder: resolve(root, env.SWITCHYARD_DATA_DIR || '.switchyard'),
    databaseUrl: env.DATABASE_URL || undefined,
    queueUrl: env.QUEUE_URL || undefined,
  };
}

function parse(args: string[]) {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const options = {
      clean: flag,
      help: flag,
      'no-samples': flag,
      scale: { type: 'string', multiple: true, default: [] as string[] },
    } as const;
    return parseArgs({ args, options, strict: true }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${help}`);
  }
}

function parseScale(settings: readonly string[]): Record<ServiceName, number> {
  const scale = Object.fromEntries(services.map((name) => [name, 1])) as Record<ServiceName, number>;
  for (const setting of settings) {
    const [, name, count] = /^([a-z-]+)=([1-9]\d?)$/.exec(setting) ?? [];
    if (!services.includes(name as ServiceName))
      throw new UsageError(`--scale ${setting}: expected NAME=N with one of ${services.join(', ')}`);
    scale[name as ServiceName] = Number(count);
  }
  return scale;
}

function parsePort(text: string | undefined): number {
  const port = Number(text || 8080);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`PORT=${text}: expected a port number`);
  return port;
}

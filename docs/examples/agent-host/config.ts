import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Model = { readonly url: string; readonly name: string; readonly apiKey: string | undefined };

export type Config = {
  readonly host: string;
  readonly port: number;
  /** Where browsers reach this host; 0 for a port lets it follow from the one that was taken. */
  readonly publicUrl: string | undefined;
  /** Where Switchyard's gateway answers. */
  readonly switchyardUrl: string;
  /** The identity provider that Switchyard trusts too, and our client there. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** What tokens are to be for (RFC 8707), where the provider wants to be told. */
  readonly resource: string | undefined;
  /** Absent: messages are taken by a plain rule. */
  readonly model: Model | undefined;
};

type DevFile = { gateway_url: string; identity_provider: { issuer: string; client_id: string } | null };
type Settings = Record<string, string | undefined>;

/** Settings from the environment; what is not set, from the `dev.json` of an `npm start` beside us. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const set = Object.entries(env).filter(([, value]) => value);
  const settings: Settings = { ...defaults, ...besideUs(env), ...Object.fromEntries(set) };
  return {
    host: required(settings, 'HOST'),
    port: Number(settings['PORT']),
    publicUrl: settings['PUBLIC_URL'],
    switchyardUrl: required(settings, 'SWITCHYARD_URL'),
    issuer: required(settings, 'ISSUER'),
    clientId: required(settings, 'CLIENT_ID'),
    clientSecret: settings['CLIENT_SECRET'],
    resource: settings['RESOURCE'],
    model: modelOf(settings),
  };
}

const defaults: Settings = { HOST: '127.0.0.1', PORT: '8090', MODEL: 'gpt-5-mini' };

function besideUs(env: NodeJS.ProcessEnv): Settings {
  const file = join(env['SWITCHYARD_DATA_DIR'] || '.switchyard', 'dev.json');
  if (!existsSync(file)) return {};
  const { gateway_url: url, identity_provider: provider } = JSON.parse(readFileSync(file, 'utf8')) as DevFile;
  return { SWITCHYARD_URL: url, ISSUER: provider?.issuer, CLIENT_ID: provider?.client_id };
}

function modelOf(settings: Settings): Model | undefined {
  const url = settings['MODEL_URL'];
  return url ? { url, name: required(settings, 'MODEL'), apiKey: settings['MODEL_API_KEY'] } : undefined;
}

function required(settings: Settings, name: string): string {
  const value = settings[name];
  if (value) return value;
  throw new Error(`${name} is not set, and no npm start of Switchyard is beside us (.switchyard/dev.json).`);
}

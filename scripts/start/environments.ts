/** The environment of each service: what it needs, and nothing that is another's. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { ServiceName } from './options.ts';
import { roleUrl, type Secrets } from './secrets.ts';
import type { Stores } from './stores.ts';

export type Ports = {
  gateway: number;
  registry: number;
  tokenBroker: number;
  /** Of each process: the gateway shares requests out among them. */
  dispatch: number[];
  agentRunner: number[];
};

export type EnvironmentInput = {
  stores: Stores;
  secrets: Secrets;
  ports: Ports;
  /** Path of the stdio allow-list. */
  allowlist: string;
  /** The environment of `npm start`. */
  given: NodeJS.ProcessEnv;
};

/** The origin under which users reach the gateway. */
export function publicUrlOf({ ports, given }: Pick<EnvironmentInput, 'ports' | 'given'>): string {
  const named = given.SWITCHYARD_PUBLIC_URL || given.GATEWAY_PUBLIC_URL;
  return named ? new URL(named).origin : `http://127.0.0.1:${ports.gateway}`;
}

const passedOn = ['PATH', 'TZ', 'LANG', 'LOG_LEVEL', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'NODE_EXTRA_CA_CERTS'];

/** The environment of the `index`-th process of a service. Of a service that others reach by one port, only the first has it. */
export function serviceEnvironment(
  name: ServiceName,
  index: number,
  input: EnvironmentInput,
): NodeJS.ProcessEnv {
  const { stores, secrets, given } = input;
  const prefix = name.toUpperCase().replaceAll('-', '_');
  const own = Object.entries(given).filter(
    ([variable]) => passedOn.includes(variable) || variable.startsWith(`${prefix}_`),
  );
  return {
    ...Object.fromEntries(own),
    ...ofService(name, index, input),
    SWITCHYARD_ENV: 'development',
    SWITCHYARD_SEAL_KEY: secrets.sealKey,
    SWITCHYARD_PUBLIC_URL: publicUrlOf(input),
    QUEUE_URL: stores.queueUrl,
    [`${prefix}_DATABASE_URL`]: roleUrl(stores.adminUrl, name),
    [`${prefix}_OPS_PORT`]: '0',
  };
}

function ofService(
  name: ServiceName,
  index: number,
  { secrets, ports, allowlist, given }: EnvironmentInput,
): NodeJS.ProcessEnv {
  const egress = { SWITCHYARD_EGRESS_ALLOW_PRIVATE: given.SWITCHYARD_EGRESS_ALLOW_PRIVATE || 'true' };
  const stdio = { SWITCHYARD_STDIO_ALLOWLIST: allowlist, ...localTools(given) };
  switch (name) {
    case 'registry':
      return {
        ...egress,
        ...stdio,
        REGISTRY_ADMIN_KEY: secrets.adminKey,
        REGISTRY_PORT: portOf(ports.registry, index),
      };
    case 'catalog-sync':
      return egress;
    case 'token-broker':
      return {
        ...egress,
        ...masterKeys(secrets, given),
        TOKEN_BROKER_ADMIN_KEY_SHA256: adminKeyDigest(secrets),
        TOKEN_BROKER_PORT: portOf(ports.tokenBroker, index),
      };
    case 'dispatch':
      return {
        ...egress,
        ...stdio,
        DISPATCH_ADMIN_KEY_SHA256: adminKeyDigest(secrets),
        DISPATCH_PORT: String(ports.dispatch[index]),
      };
    case 'agent-runner':
      return {
        ...egress,
        AGENT_RUNNER_ADMIN_KEY_SHA256: adminKeyDigest(secrets),
        AGENT_RUNNER_PORT: String(ports.agentRunner[index]),
      };
    case 'gateway':
      return {
        ...egress,
        GATEWAY_ADMIN_KEY_SHA256: adminKeyDigest(secrets),
        GATEWAY_PORT: portOf(ports.gateway, index),
        GATEWAY_REGISTRY_URL: `http://127.0.0.1:${ports.registry}`,
        GATEWAY_TOKEN_BROKER_URL: `http://127.0.0.1:${ports.tokenBroker}`,
        GATEWAY_DISPATCH_URL: urlsOf(ports.dispatch),
        GATEWAY_AGENT_RUNNER_URL: urlsOf(ports.agentRunner),
      };
  }
}

function adminKeyDigest({ adminKey }: Secrets): string {
  return createHash('sha256').update(adminKey).digest('hex');
}

/** Local tools are there only where the operator asks for them. */
function localTools({
  SWITCHYARD_LOCAL_TOOLS: folder,
  SWITCHYARD_LOCAL_TOOLS_SLUG: slug,
}: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...(folder && { SWITCHYARD_LOCAL_TOOLS: resolve(folder) }),
    ...(slug && { SWITCHYARD_LOCAL_TOOLS_SLUG: slug }),
  };
}

function portOf(port: number, index: number): string {
  return String(index === 0 ? port : 0);
}

function urlsOf(ports: readonly number[]): string {
  return ports.map((port) => `http://127.0.0.1:${port}`).join(',');
}

function masterKeys({ masterKey, formerMasterKeys }: Secrets, given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const former = [...formerMasterKeys, given.SWITCHYARD_FORMER_MASTER_KEYS ?? []].flat();
  return {
    SWITCHYARD_MASTER_KEY: masterKey,
    ...(former.length > 0 && { SWITCHYARD_FORMER_MASTER_KEYS: former.join(',') }),
  };
}

/** The environment of `scripts/rotate-master-key.ts`. */
export function rotationEnvironment({ stores, secrets, given }: EnvironmentInput): NodeJS.ProcessEnv {
  return {
    PATH: given.PATH,
    TOKEN_BROKER_DATABASE_URL: roleUrl(stores.adminUrl, 'token-broker'),
    ...masterKeys(secrets, given),
  };
}

/** The environment of `scripts/migrate.ts`. */
export function migratorEnvironment(
  names: readonly string[],
  { stores, given }: EnvironmentInput,
): NodeJS.ProcessEnv {
  const roles = names.map((name) => [
    `${name.toUpperCase().replaceAll('-', '_')}_DATABASE_URL`,
    roleUrl(stores.adminUrl, name),
  ]);
  return {
    PATH: given.PATH,
    DATABASE_URL: stores.adminUrl,
    QUEUE_URL: stores.queueUrl,
    ...Object.fromEntries(roles),
  };
}

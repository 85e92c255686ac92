import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a started Switchyard says of itself (`architecture.md`, "Start and test"). */
export type DevFile = {
  readonly gateway_url: string;
  readonly mcp_url: string;
  /** One origin for each replica of the gateway, where there are several. */
  readonly gateway_urls?: readonly string[];
  readonly admin_key: string;
  readonly virtual_key: string | null;
  /** The sample users, where the samples were started. */
  readonly identity_provider?: { readonly users: readonly { username: string; password: string }[] };
  /** Of the processes that are up. */
  readonly pids: Readonly<Record<Service, readonly number[]>>;
  /** Where each process answers /readyz and /metrics. */
  readonly ops_urls: Readonly<Record<Service, readonly string[]>>;
};

export type Service = 'registry' | 'catalog-sync' | 'token-broker' | 'dispatch' | 'agent-runner' | 'gateway';

/** Undefined as long as there is none. */
export function readDevFile(dataFolder: string): DevFile | undefined {
  try {
    return JSON.parse(readFileSync(join(dataFolder, 'dev.json'), 'utf8')) as DevFile;
  } catch {
    return undefined;
  }
}

/** `dev.json` in the data folder: what scripts and tests need to know of a running start. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from './data-folder.ts';
import type { SampleIdentity } from './identity-provider.ts';
import type { DemoModelFacts } from './sample-agent.ts';

export type DevFacts = {
  gatewayPorts: number[];
  adminKey: string;
  virtualKey: string | null;
  identityProvider: SampleIdentity | null;
  demoModel: DemoModelFacts | null;
  pids: Record<string, number[]>;
  opsUrls: Record<string, string[]>;
};

export function writeDevFile(
  dataFolder: string,
  { gatewayPorts, adminKey, virtualKey, identityProvider, demoModel, pids, opsUrls }: DevFacts,
): void {
  const urls = gatewayPorts.map((port) => `http://127.0.0.1:${port}`);
  const facts = {
    gateway_url: urls[0],
    mcp_url: `${urls[0]}/mcp`,
    admin_key: adminKey,
    virtual_key: virtualKey,
    identity_provider: identityProvider,
    demo_model: demoModel,
    pids,
    ops_urls: opsUrls,
    ...(urls.length > 1 && { gateway_urls: urls }),
  };
  writePrivateFile(join(dataFolder, 'dev.json'), `${JSON.stringify(facts, null, 2)}\n`);
}

export function removeDevFile(dataFolder: string): void {
  rmSync(join(dataFolder, 'dev.json'), { force: true });
}

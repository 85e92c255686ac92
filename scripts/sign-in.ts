/** `npm run -s sign-in -- alice`: signs a sample user of a running `npm start` in, and prints the access token. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { signIn } from './identity-provider/sign-in.ts';
import type { SampleIdentity } from './start/identity-provider.ts';

const root = join(import.meta.dirname, '..');

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function readProvider(): SampleIdentity {
  const file = join(resolve(root, process.env.SWITCHYARD_DATA_DIR || '.switchyard'), 'dev.json');
  if (!existsSync(file))
    fail(
      `There is no ${file}: start Switchyard first (npm start), or name its folder in SWITCHYARD_DATA_DIR.`,
    );
  const { identity_provider: provider } = JSON.parse(readFileSync(file, 'utf8')) as {
    identity_provider: SampleIdentity | null;
  };
  return provider ?? fail('This start has no sample users (--no-samples).');
}

async function main(): Promise<void> {
  const { issuer, client_id: clientId, users } = readProvider();
  const names = users.map((one) => one.username).join(', ');
  const user = users.find(({ username }) => username === process.argv[2]);
  if (!user) fail(`Usage: npm run -s sign-in -- USER, with one of ${names}`);
  const { accessToken } = await signIn({ issuer, clientId, ...user });
  process.stdout.write(`${accessToken}\n`);
}

await main().catch((error: Error) => fail(`The sign-in failed: ${error.message}`));

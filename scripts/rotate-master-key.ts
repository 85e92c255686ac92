/**
 * Wraps the vault's data keys under the present master key, while brokers run: `npm run rotate-master-key`.
 * Reads `TOKEN_BROKER_DATABASE_URL`, `SWITCHYARD_MASTER_KEY` (the new key) and `SWITCHYARD_FORMER_MASTER_KEYS` (the old
 * one). First start the brokers with both keys, then run this, then start them with the new key alone.
 */
import { join } from 'node:path';
import { build } from './build.ts';

await build();
const command = join(import.meta.dirname, '../apps/token-broker/dist/src/rotate-master-key.js');
const { runRotation } = (await import(command)) as {
  runRotation(env: NodeJS.ProcessEnv): Promise<{ keys: number; rewrapped: number }>;
};

try {
  const { keys, rewrapped } = await runRotation(process.env);
  process.stdout.write(`${rewrapped} of ${keys} data keys are wrapped anew, under the present master key\n`);
} catch (error) {
  // Stacks tell an operator nothing, and messages name settings and never values.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

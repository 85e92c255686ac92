import { booleanFlag, keySecret, portNumber, type Secret } from '@switchyard/service-kit';
import { z } from 'zod';

export const demoModelEnv = z.object({
  DEMO_MODEL_PORT: portNumber().default(0).describe('Port of the demonstration model; 0 is a free one.'),
  DEMO_MODEL_HOST: z.string().default('127.0.0.1').describe('Address on which it listens.'),
  DEMO_MODEL_API_KEY: keySecret({ minLength: 16 }).describe('The bearer that its callers must have.'),
  DEMO_MODEL_SCRIPTED: booleanFlag()
    .default(false)
    .describe(
      'Tests only: answers by a script that is given at /control/reset, on loopback alone (also: --scripted).',
    ),
});

export type DemoModelConfig = {
  readonly port: number;
  readonly host: string;
  readonly apiKey: Secret;
  readonly isScripted: boolean;
};

export function toDemoModelConfig(
  env: z.output<typeof demoModelEnv>,
  args: readonly string[],
): DemoModelConfig {
  return {
    port: env.DEMO_MODEL_PORT,
    host: env.DEMO_MODEL_HOST,
    apiKey: env.DEMO_MODEL_API_KEY,
    isScripted: env.DEMO_MODEL_SCRIPTED || args.includes('--scripted'),
  };
}

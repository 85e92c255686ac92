import type { StdioAllowlist } from '@switchyard/contracts';
import {
  booleanFlag,
  keySecret,
  portNumber,
  secret,
  serviceConfig,
  serviceEnv,
} from '@switchyard/service-kit';
import type { Secret, ServiceConfig } from '@switchyard/service-kit';
import { z } from 'zod';
import { Slug } from './http/fields.js';

export const registryEnv = z
  .object({
    ...serviceEnv,
    REGISTRY_PORT: portNumber().default(0).describe('Port of the admin API; 0 is a free one.'),
    REGISTRY_OPS_PORT: portNumber()
      .default(0)
      .describe('Port of health, readiness and metrics; 0 is a free one.'),
    REGISTRY_DATABASE_URL: secret().describe('PostgreSQL as the registry’s own role.'),
    REGISTRY_ADMIN_KEY: keySecret({ minLength: 16 }).describe(
      'The operator’s admin key: organization `default`, and all organizations’ creation. At least 16 characters.',
    ),
    SWITCHYARD_PUBLIC_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'Origin under which others reach the gateway: answers about webhooks have the whole URL by it.',
      ),
    SWITCHYARD_EGRESS_ALLOW_PRIVATE: booleanFlag()
      .default(false)
      .describe('Development only: upstreams on loopback and private addresses, and plain http to them.'),
    SWITCHYARD_STDIO_ALLOWLIST: z
      .string()
      .optional()
      .describe('Path of the JSON file with the stdio commands that operators allow; without it none is.'),
    SWITCHYARD_LOCAL_TOOLS: z
      .string()
      .optional()
      .describe(
        'Folder of TypeScript or JavaScript files whose tools are served as the integration of kind `local` (docs/local-tools.md). ' +
          'Set it for registry and for every dispatch worker; without it that integration is disabled.',
      ),
    SWITCHYARD_LOCAL_TOOLS_SLUG: Slug.default('local').describe(
      'Slug of the integration of kind `local`, with which its tools’ names begin.',
    ),
  })
  .refine((env) => env.SWITCHYARD_ENV === 'development' || !env.SWITCHYARD_EGRESS_ALLOW_PRIVATE, {
    path: ['SWITCHYARD_EGRESS_ALLOW_PRIVATE'],
    message: 'is for SWITCHYARD_ENV=development alone',
  });

/** Token under which the configuration is injected; take the slice that you need. */
export const REGISTRY_CONFIG = Symbol('registry configuration');

export type RegistryConfig = {
  readonly service: ServiceConfig;
  readonly databaseUrl: Secret;
  readonly queueUrl: Secret;
  readonly sealKey: Secret;
  readonly operatorKey: Secret;
  /** An origin. */
  readonly publicUrl: string | undefined;
  readonly egress: { readonly allowPrivate: boolean };
  readonly stdioAllowlist: StdioAllowlist;
  /** The folder itself is dispatch's to read. */
  readonly localTools: { readonly isSet: boolean; readonly slug: string };
};

export function toRegistryConfig(
  env: z.output<typeof registryEnv>,
  stdioAllowlist: StdioAllowlist,
): RegistryConfig {
  return {
    service: serviceConfig('registry', env, { opsPort: env.REGISTRY_OPS_PORT, httpPort: env.REGISTRY_PORT }),
    databaseUrl: env.REGISTRY_DATABASE_URL,
    queueUrl: env.QUEUE_URL,
    sealKey: env.SWITCHYARD_SEAL_KEY,
    operatorKey: env.REGISTRY_ADMIN_KEY,
    publicUrl: env.SWITCHYARD_PUBLIC_URL && new URL(env.SWITCHYARD_PUBLIC_URL).origin,
    egress: { allowPrivate: env.SWITCHYARD_EGRESS_ALLOW_PRIVATE },
    stdioAllowlist,
    localTools: {
      isSet: env.SWITCHYARD_LOCAL_TOOLS !== undefined,
      slug: env.SWITCHYARD_LOCAL_TOOLS_SLUG,
    },
  };
}

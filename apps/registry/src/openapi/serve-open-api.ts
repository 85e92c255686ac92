import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { z } from 'zod';
import { agentRunnerPaths, agentRunnerSchemas } from './agent-runner-paths.js';
import { ProblemAnswer } from './answers.js';
import { dispatchPaths, dispatchSchemas } from './dispatch-paths.js';
import { facePaths, faceSchemas } from './face-paths.js';
import { gatewayPaths, gatewaySchemas } from './gateway-paths.js';
import { tokenBrokerPaths, tokenBrokerSchemas } from './token-broker-paths.js';
import { toJsonSchema } from './to-json-schema.js';

/** Serves the document at `/api/openapi.json`, to everybody: it holds nothing of anybody. */
export function serveOpenApi(app: NestFastifyApplication): void {
  let document: OpenAPIObject | undefined;
  app
    .getHttpAdapter()
    .getInstance()
    .get('/api/openapi.json', async () => (document ??= makeDocument(app)));
}

const ownPaths = {
  ...{ ...gatewayPaths, ...facePaths, ...tokenBrokerPaths },
  ...{ ...dispatchPaths, ...agentRunnerPaths },
};
const bearer = (description: string, bearerFormat: string) =>
  ({ type: 'http', scheme: 'bearer', bearerFormat, description }) as const;
const keyHeader = (name: string) =>
  ({ type: 'apiKey', in: 'header', name, description: 'Virtual key' }) as const;

/** The routes of the registry as their decorators tell them, and by hand those of the other services. */
export function makeDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Switchyard')
    .setDescription(
      'Admin API, BFF API, async tool calls, credentials, audit, approvals, agents’ chats and runs. Errors are problem documents (RFC 9457).',
    )
    .setVersion('1')
    .addServer('/')
    .addBearerAuth(bearer('Admin key', 'opaque'), 'adminKey')
    .addBearerAuth(bearer('Token of a user; for admin routes, with an admin’s role', 'JWT'), 'userToken')
    .addBearerAuth(bearer('Virtual key', 'opaque'), 'virtualKey')
    .addApiKey(keyHeader('X-Api-Key'), 'virtualKeyHeader')
    .addApiKey(keyHeader('x-bf-virtual-key'), 'virtualKeyBfHeader')
    .addSecurityRequirements('adminKey')
    .addSecurityRequirements('userToken')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) =>
      `${lowerFirst(controller.replace(/Controller$/, ''))}_${method}`,
    standardSchemaConverter: toJsonSchema,
  });
  const schemas = {
    ...document.components?.schemas,
    ...definitionsOf({
      Problem: ProblemAnswer,
      ...gatewaySchemas,
      ...faceSchemas,
      ...tokenBrokerSchemas,
      ...dispatchSchemas,
      ...agentRunnerSchemas,
    }),
  };
  return {
    ...document,
    components: { ...document.components, schemas } as OpenAPIObject['components'],
    paths: { ...document.paths, ...(ownPaths as unknown as OpenAPIObject['paths']) },
  };
}

function definitionsOf(schemas: Record<string, z.ZodType>): Record<string, unknown> {
  return Object.assign(
    {},
    ...Object.values(schemas).map((schema) => toJsonSchema(schema, { schemaType: 'output' })?.components),
  );
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { z } from 'zod';
import { ProblemAnswer } from './answers.js';
import { gatewayPaths, gatewaySchemas } from './gateway-paths.js';
import { toJsonSchema } from './to-json-schema.js';

/** Serves the document at `/api/openapi.json`, to everybody: it holds nothing of anybody. */
export function serveOpenApi(app: NestFastifyApplication): void {
  let document: OpenAPIObject | undefined;
  app
    .getHttpAdapter()
    .getInstance()
    .get('/api/openapi.json', async () => (document ??= makeDocument(app)));
}

/** The routes of the registry as their decorators tell them, and the gateway's async API. */
export function makeDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Switchyard')
    .setDescription('Admin API and async tool calls. Errors are problem documents (RFC 9457).')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'Admin key' }, 'adminKey')
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'Token of a user with an admin’s role',
      },
      'userToken',
    )
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'Virtual key' }, 'virtualKey')
    .addApiKey(
      { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'Virtual key' },
      'virtualKeyHeader',
    )
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
    ...definitionsOf({ Problem: ProblemAnswer, ...gatewaySchemas }),
  };
  return {
    ...document,
    components: { ...document.components, schemas } as OpenAPIObject['components'],
    paths: { ...document.paths, ...(gatewayPaths as unknown as OpenAPIObject['paths']) },
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

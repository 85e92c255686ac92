import { Readable } from 'node:stream';
import httpProxy, { type FastifyHttpProxyOptions } from '@fastify/http-proxy';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { sendProblem, toPublicError } from '@switchyard/service-kit';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { forwardFailure, isConnectionFailure } from './forward-failure.js';
import { forwardedHeaders } from './forwarded-headers.js';
import { OwnerUrls } from './owner-urls.js';

/** A service behind the gateway, with its public paths. Nothing else of it can be reached from here. */
export type Owner = {
  readonly name: string;
  /** Its replicas; one URL is enough where they share a name. */
  readonly urls: readonly string[];
  readonly paths: readonly string[];
  readonly timeouts?: Timeouts;
};

/** Until the head of an answer is there, and between any two pieces of its body. 0: no end. */
type Timeouts = { readonly headersTimeout: number; readonly bodyTimeout: number };

const usualTimeouts: Timeouts = { headersTimeout: 60_000, bodyTimeout: 60_000 };

/** For an owner that streams, or answers when a run has ended: a person may be thinking meanwhile. It ends its answers itself. */
export const streamTimeouts: Timeouts = { headersTimeout: 900_000, bodyTimeout: 0 };

/** The registry's public paths: what admins manage. */
export const registryPaths = [
  '/api/organizations',
  '/api/identity-providers',
  '/api/users',
  '/api/policies',
  '/api/tool-groups',
  '/api/toolsets',
  '/api/agents',
  '/api/integrations',
  '/api/virtual-keys',
  '/api/import',
  '/api/mcp/client',
  '/api/openapi.json',
];

/** The token broker's public paths: what users see of sign-in and consent, and what is known of credentials. */
export const tokenBrokerPaths = [
  '/sign-in',
  '/sign-out',
  '/integrations',
  '/oauth',
  '/api/credentials',
  '/api/audit',
];

/** Dispatch's public paths: what people decide. */
export const dispatchPaths = ['/api/approvals'];

/** The agent runner's public paths. */
export const agentRunnerPaths = ['/api/chat', '/api/runs', '/api/conversations', '/hooks'];

/** Each open stream has one for itself. */
const streamConnections = 4_096;

/** The owners' own limit. They refuse by closing the connection, of which a proxy may see no answer. */
const bodyLimitBytes = 1_048_576;

/** Hands public paths on to their owners, so that users see one origin. The owner checks the caller. */
export async function forwardToOwners(app: NestFastifyApplication, owners: readonly Owner[]): Promise<void> {
  const instance = app.getHttpAdapter().getInstance();
  await instance.register((scope: FastifyInstance, _: unknown, done: (error?: Error) => void) => {
    // A scope made before Nest sets its own handler would answer in the framework's words.
    scope.setErrorHandler((error, request, reply) => sendProblem(reply, toPublicError(error), request.id));
    passBodies(scope);
    // Nest's filters are set too late for scopes like this one.
    scope.setErrorHandler((error, request, reply) => sendProblem(reply, toPublicError(error), request.id));
    for (const owner of owners) forwardToOwner(scope, owner);
    done();
  });
}

function forwardToOwner(scope: FastifyInstance, owner: Owner): void {
  const replyOptions = repliesOf(owner);
  for (const path of owner.paths) {
    void scope.register(httpProxy, {
      upstream: '',
      prefix: path,
      rewritePrefix: path,
      proxyPayloads: false,
      disableRequestLogging: true,
      // A request whose answer is lost may have been taken.
      retryMethods: [],
      undici: {
        connections: owner.timeouts ? streamConnections : 64,
        ...(owner.timeouts ?? usualTimeouts),
        connect: { timeout: 3_000 },
      },
      replyOptions,
    });
  }
}

/** Which replica a request goes to, and what its caller is told when that one does not answer. */
function repliesOf({ name, urls }: Owner): FastifyHttpProxyOptions['replyOptions'] {
  const replicas = new OwnerUrls(urls);
  const taken = new WeakMap<object, string>();
  return {
    getUpstream: (request) => {
      const url = replicas.next();
      taken.set(request, url);
      return url;
    },
    rewriteRequestHeaders: (request, headers) => forwardedHeaders(request, headers),
    onError: (reply, { error }) => {
      const { request } = reply as FastifyReply;
      const url = taken.get(request);
      if (url !== undefined && isConnectionFailure(error)) replicas.failed(url);
      sendProblem(reply as FastifyReply, forwardFailure(name, request, error), request.id);
    },
  };
}

/** Whatever its type, a body goes on as it came, once all of it is there. */
function passBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<Buffer>('*', { parseAs: 'buffer', bodyLimit: bodyLimitBytes }, (_, body, done) =>
    done(null, body.length > 0 ? Readable.from([body]) : undefined),
  );
}

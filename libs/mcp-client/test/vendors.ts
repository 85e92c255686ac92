import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { createEgressPolicy } from '../src/egress/egress-policy.js';
import type { AuthorizationServer } from '../src/oauth/authorization-server.js';
import { closing } from './sessions.js';

/** What a vendor answers on a path. */
export type Route = (req: IncomingMessage, res: ServerResponse, body: string) => void | Promise<void>;

export type Vendor = {
  origin: string;
  /** By path; the rest is 404. May be changed while it runs. */
  routes: Record<string, Route>;
  /** `METHOD /path` of every request, in order. */
  requests: string[];
};

/** A vendor that says whatever the test wants it to say; ends with the test. */
export async function vendorOf(routes: Record<string, Route> = {}): Promise<Vendor> {
  const requests: string[] = [];
  const server = createServer((req, res) => {
    const { pathname } = new URL(req.url ?? '/', 'http://x');
    requests.push(`${req.method} ${pathname}`);
    const route = routes[pathname] ?? status(404);
    void text(req).then((body) => route(req, res, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, routes, requests };
}

export const json =
  (body: unknown, code = 200, headers: Record<string, string> = {}): Route =>
  (_req, res) =>
    void res.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Route =>
  (_req, res) =>
    void res.writeHead(code, headers).end(body);

/** Takes the request and hangs up. */
export const hangUp: Route = (req) => void req.socket.destroy();

/** `fetch` as the broker has it, on a developer's machine. */
export function developerFetch(allowPrivate = true): typeof fetch {
  const egress = createEgressPolicy({ allowPrivate });
  closing.push(() => egress.close());
  return egress.fetch;
}

/** The metadata that a careful vendor publishes. */
export function metadataAt(issuer: string, more: object = {}): Record<string, unknown> & { issuer: string } {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    registration_endpoint: `${issuer}/register`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    ...more,
  };
}

/** An authorization server as discovery would have found it. */
export function serverAt(issuer: string, more: Partial<AuthorizationServer> = {}): AuthorizationServer {
  return {
    issuer,
    authorizationEndpoint: `${issuer}/authorize`,
    tokenEndpoint: `${issuer}/token`,
    revocationEndpoint: `${issuer}/revoke`,
    registrationEndpoint: `${issuer}/register`,
    scopesSupported: null,
    grantTypesSupported: null,
    codeChallengeMethodsSupported: ['S256'],
    tokenEndpointAuthMethods: ['client_secret_basic'],
    supportsMetadataDocument: false,
    requiresIssuerParameter: false,
    metadata: {},
    ...more,
  };
}

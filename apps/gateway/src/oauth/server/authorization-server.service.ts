import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { createEgressPolicy } from '@switchyard/mcp-client';
import { Log, Shutdown } from '@switchyard/service-kit';
import Provider from 'oidc-provider';
import { GATEWAY_CONFIG, type GatewayConfig } from '../../config.js';
import { ClientsRepository } from '../clients/clients.repository.js';
import { documentFetch } from '../clients/document-fetch.js';
import { GrantsService } from '../grants/grants.service.js';
import { Issuer } from '../issuer.js';
import { SigningKeys } from '../keys/signing-keys.service.js';
import { OAuthCipher } from '../store/oauth-cipher.js';
import { PayloadsRepository } from '../store/payloads.repository.js';
import { providerAdapter } from '../store/provider-adapter.js';
import { Admission } from './admission.service.js';
import { holdBack } from './hold-back.js';
import { mcpScope, paths, providerConfiguration } from './provider-configuration.js';

/** A page that sends a form by itself needs a script, and ours run none. */
const responseModes = ['query', 'fragment'];
/** That need the scope `openid`, of which there is none here: clients send them out of habit. */
const ignoredParameters = ['nonce', 'max_age', 'claims', 'claims_locales', 'id_token_hint', 'acr_values'];

/** A request as Fastify has it, or something of that shape. */
export type Arrived = { readonly raw: IncomingMessage; readonly ip: string };

/** The authorization server toward MCP clients: oidc-provider, under this gateway's origin. */
@Injectable()
export class AuthorizationServer {
  #made: { issuer: string; provider: Promise<Provider> } | undefined;
  readonly #fetch: typeof fetch;

  constructor(
    private readonly issuer: Issuer,
    private readonly keys: SigningKeys,
    private readonly payloads: PayloadsRepository,
    private readonly clients: ClientsRepository,
    private readonly grants: GrantsService,
    private readonly cipher: OAuthCipher,
    private readonly admission: Admission,
    private readonly log: Log,
    shutdown: Shutdown,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'oauth' | 'egress'>,
  ) {
    const egress = createEgressPolicy(config.egress);
    shutdown.onClose(() => egress.close());
    this.#fetch = documentFetch(egress);
  }

  /** Null: OAuth is off. */
  async provider(): Promise<Provider | null> {
    const issuer = this.issuer.origin();
    if (issuer === null) return null;
    if (this.#made?.issuer !== issuer) {
      const provider = this.#make(issuer);
      this.#made = { issuer, provider };
      provider.catch(() => (this.#made = undefined));
    }
    return this.#made!.provider;
  }

  /** Answers a request to one of the library's own paths. */
  async handle(provider: Provider, request: Arrived, response: ServerResponse): Promise<void> {
    asOurOrigin(request, provider);
    const { raw } = request;
    if (raw.url?.startsWith(`${paths.authorization}?`)) raw.url = withoutHabits(raw.url);
    await provider.callback()(raw, response);
  }

  async #make(issuer: string): Promise<Provider> {
    const { accessTtlMs, grantTtlMs, registrationsPerHour } = this.config.oauth;
    const { payloads, clients, grants, cipher } = this;
    const provider = new Provider(
      issuer,
      providerConfiguration({
        issuer,
        resourceOrigins: this.issuer.resourceOrigins(),
        adapter: providerAdapter({ payloads, clients, grants }),
        keys: await this.keys.privateKeys(),
        cookieKey: cipher.cookieKey,
        grants,
        accessSeconds: Math.ceil(accessTtlMs / 1_000),
        grantSeconds: Math.ceil(grantTtlMs / 1_000),
        isRegistrationOn: registrationsPerHour > 0,
        fetch: this.#fetch,
        mayFetch: (address) => this.admission.mayFetch(address),
      }),
    );
    provider.proxy = true;
    provider.use(async (ctx, next) => {
      await next();
      // The library would speak of OpenID Connect, which nobody gets here.
      if (ctx.oidc?.route === 'discovery')
        Object.assign(ctx.body as object, {
          scopes_supported: [mcpScope],
          response_modes_supported: responseModes,
        });
      if (ctx.oidc?.route === 'authorization') holdBack(ctx);
    });
    provider.on('server_error', (_ctx, err) => this.log.error({ err }, 'the authorization server failed'));
    return provider;
  }

  /** The provider for pages of ours: the request looks to it as its own do. Null: OAuth is off. */
  async providerFor(request: Arrived): Promise<Provider | null> {
    const provider = await this.provider();
    if (provider) asOurOrigin(request, provider);
    return provider;
  }
}

/** Whatever name the request came by, there is one issuer, and its cookies are of its origin. */
function asOurOrigin({ raw, ip }: Arrived, provider: Provider): void {
  const { host, protocol } = new URL(provider.issuer);
  raw.headers.host = host;
  raw.headers['x-forwarded-host'] = host;
  raw.headers['x-forwarded-proto'] = protocol.slice(0, -1);
  raw.headers['x-forwarded-for'] = ip;
  // Nobody is remembered from one request to the next.
  const session = provider.cookieName('session');
  const kept = (raw.headers.cookie ?? '').split(/; */).filter((one) => !one.startsWith(session));
  raw.headers.cookie = kept.join('; ');
}

/** One scope for everybody, and no session of the library's own: each request is asked anew who signs in. */
function withoutHabits(path: string): string {
  const url = new URL(path, 'http://own.invalid');
  const { searchParams } = url;
  for (const name of ignoredParameters) searchParams.delete(name);
  searchParams.set('scope', mcpScope);
  const modes = searchParams.getAll('response_mode');
  // One that nobody knows is refused; others that the library knows are not in use here.
  if (modes.some((mode) => !responseModes.includes(mode))) searchParams.set('response_mode', 'unsupported');
  return `${url.pathname}${url.search}`;
}

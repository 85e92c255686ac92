import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Client,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';

type Tokens = Awaited<ReturnType<OAuthClientProvider['tokens']>>;
type Information = Awaited<ReturnType<OAuthClientProvider['clientInformation']>>;

/** An MCP client on somebody's machine, as the official SDK makes it: it knows a URL, opens a browser, and waits. */
export class DesktopClient implements OAuthClientProvider {
  readonly redirectUrl: string;
  readonly callback = Promise.withResolvers<URL>();
  readonly opened = Promise.withResolvers<string>();
  stored: Tokens;
  #information: Information;
  #verifier = '';
  #discovery: OAuthDiscoveryState | undefined;
  readonly #state = crypto.randomUUID();

  private constructor(
    private readonly server: Server,
    readonly clientMetadataUrl?: string,
  ) {
    this.redirectUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', this.redirectUrl);
      response.end('You can close this window.');
      if (url.pathname === '/callback') this.callback.resolve(url);
    });
  }

  /** `clientMetadataUrl`: where its makers say who it is; without one it registers itself. */
  static async start(clientMetadataUrl?: string): Promise<DesktopClient> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new DesktopClient(server, clientMetadataUrl);
  }

  get clientMetadata(): OAuthClientMetadata {
    return {
      client_name: 'Desktop client',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  state = () => this.#state;
  clientInformation = () => this.#information;
  saveClientInformation = (information: Information) => void (this.#information = information);
  tokens = () => this.stored;
  saveTokens = (tokens: Tokens) => void (this.stored = tokens);
  saveCodeVerifier = (verifier: string) => void (this.#verifier = verifier);
  codeVerifier = () => this.#verifier;
  discoveryState = () => this.#discovery;
  saveDiscoveryState = (state: OAuthDiscoveryState) => void (this.#discovery = state);
  invalidateCredentials = (scope: string) => void (scope !== 'verifier' && (this.stored = undefined));
  redirectToAuthorization = (url: URL) => this.opened.resolve(url.href);

  /** From nothing but the URL: gives a connected client once the user has let it in. */
  async connect(mcpUrl: string): Promise<Client> {
    const options = { authProvider: this };
    const asking = new StreamableHTTPClientTransport(new URL(mcpUrl), options);
    const first = await newClient()
      .connect(asking)
      .catch((error: unknown) => error);
    if (!(first instanceof UnauthorizedError))
      throw new Error(`it was not asked to sign in: ${String(first)}`);
    const { searchParams } = await this.callback.promise;
    if (searchParams.get('state') !== this.#state) throw new Error('the state is not ours');
    await asking.finishAuth(searchParams);
    const client = newClient();
    await client.connect(new StreamableHTTPClientTransport(new URL(mcpUrl), options));
    return client;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
  }
}

function newClient(): Client {
  return new Client({ name: 'desktop', version: '1' }, { versionNegotiation: { mode: 'auto' } });
}

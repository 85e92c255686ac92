import { eventually } from '@switchyard/testing';
import { type Answer, ask } from './http.js';

export type Integration = {
  readonly id: string;
  readonly slug: string;
  readonly state: string;
  readonly tool_count: number;
  readonly last_failure: { stage: string; code: string; message: string } | null;
  readonly transport: { type: string; url?: string; command?: string; args?: string[] };
};

export type VirtualKey = { readonly id: string; readonly key: string };
type Grants = Record<string, readonly string[]>;

/** The admin REST API, as an admin uses it: by the gateway's one origin. */
export class AdminApi {
  constructor(
    private readonly origin: () => string,
    private readonly key: string,
  ) {}

  /** Whatever the answer is. */
  send<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    return ask<T>(new URL(path, this.origin()), {
      method,
      body,
      headers: { authorization: `Bearer ${this.key}`, ...headers },
    });
  }

  /** The body of an answer that must be a success. */
  async must<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.send<T>(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** Registers an upstream over HTTP, or whatever `fields` says. */
  async register(slug: string, url: string, fields: Record<string, unknown> = {}): Promise<Integration> {
    const transport = { type: 'http', url };
    return this.must('POST', '/api/integrations', {
      slug,
      name: slug,
      auth_mode: 'none',
      transport,
      ...fields,
    });
  }

  /** Registers it and waits until its tools are known. */
  async connect(slug: string, url: string, fields: Record<string, unknown> = {}): Promise<Integration> {
    const { id } = await this.register(slug, url, fields);
    return this.untilState(id, 'connected');
  }

  integration(id: string): Promise<Integration> {
    return this.must('GET', `/api/integrations/${id}`);
  }

  async integrations(): Promise<Integration[]> {
    return (await this.must<{ items: Integration[] }>('GET', '/api/integrations?limit=200')).items;
  }

  /** Waits until the integration is in that state; says where it got stuck if it does not come to that. */
  async untilState(id: string, state: string, timeoutMs = 20_000): Promise<Integration> {
    return eventually(
      async () => {
        const found = await this.integration(id);
        if (found.state !== state)
          throw new Error(`${found.slug} is ${found.state}: ${JSON.stringify(found.last_failure)}`);
        return found;
      },
      { timeoutMs, intervalMs: 100 },
    );
  }

  /** A virtual key that may call these tools: `{ notes: ['*'] }`. */
  makeKey(grants: Grants, fields: Record<string, unknown> = {}): Promise<VirtualKey> {
    const configs = Object.entries(grants).map(([name, tools]) => ({
      mcp_client_name: name,
      tools_to_execute: tools,
    }));
    return this.must('POST', '/api/virtual-keys', {
      name: `for ${Object.keys(grants).join(', ') || 'nothing'}`,
      mcp_configs: configs,
      ...fields,
    });
  }

  /** Another organization, with an admin of its own. */
  async makeOrganization(slug: string): Promise<AdminApi> {
    const { admin_key } = await this.must<{ admin_key: string }>('POST', '/api/organizations', {
      slug,
      name: slug,
    });
    return new AdminApi(this.origin, admin_key);
  }
}

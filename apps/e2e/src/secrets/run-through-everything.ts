import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  eventually,
  type FixtureUpstream,
  startFixtureUpstream,
  stdioFixturePath,
} from '@switchyard/testing';
import type { AdminApi } from '../harness/admin-api.js';
import { type Answer, ask, type Ask } from '../harness/http.js';
import { bearer } from '../harness/mcp-rpc.js';
import type { Switchyard } from '../harness/switchyard.js';

/** What callers and admins were answered, and the one key that they were shown. */
export type Answers = { texts: Record<string, string>; virtualKey: string };

const mark = (what: string): string => `canary-${what}-${randomBytes(18).toString('hex')}`;
const given = {
  header: mark('header'),
  wrongHeader: mark('wrong'),
  env: mark('env'),
  imported: mark('imported'),
};
const deadlineMs = 20_000;

export const secretFixtureEntry = {
  name: 'secretive',
  command: process.execPath,
  args: [stdioFixturePath()],
  env: ['FIXTURE_TOKEN'],
};

/** Every secret of the installation that must be nowhere. */
export function canaries(switchyard: Switchyard, { virtualKey }: Answers): Record<string, string> {
  const { masterKey, sealKey, adminKey } = JSON.parse(
    readFileSync(join(switchyard.dataFolder, 'secrets.json'), 'utf8'),
  ) as Record<string, string>;
  return { ...given, virtualKey, masterKey, sealKey, adminKey } as Record<string, string>;
}

/** Registers with secrets, calls with success and every kind of failure, and asks every route about it. */
export async function runThroughEverything(switchyard: Switchyard): Promise<Answers> {
  const upstream = await startFixtureUpstream({ requiredHeaders: { 'x-canary': given.header } });
  try {
    return await new Run(switchyard, upstream).all();
  } finally {
    await upstream.close();
  }
}

class Run {
  readonly texts: Record<string, string> = {};
  readonly admin: AdminApi;
  key = '';

  constructor(
    private readonly switchyard: Switchyard,
    private readonly upstream: FixtureUpstream,
  ) {
    this.admin = switchyard.admin;
  }

  async all(): Promise<Answers> {
    const ids = await this.register();
    await this.call();
    await this.lookAround(ids);
    await this.ask401(ids.http);
    return { texts: this.texts, virtualKey: this.key };
  }

  private async register() {
    const url = this.upstream.url;
    const fields = { auth_mode: 'headers', headers: { 'X-Canary': given.header }, max_concurrency: 2 };
    const http = await this.admin.connect('canary-integration', url, {
      ...fields,
      tool_overrides: { hang: { safe: true } },
    });
    const transport = { type: 'stdio', command: 'secretive', args: [] };
    const stdio = await this.admin.connect('canary-child', '', {
      transport,
      env: { FIXTURE_TOKEN: given.env },
    });
    const mcpServers = {
      imported: { url, headers: { 'X-Canary': given.imported } },
      broken: { url: 'nonsense', headers: { A: given.imported } },
    };
    await this.asAdmin('import', 'POST', '/api/import', { mcpServers });
    await this.asAdmin('a refused registration', 'POST', '/api/integrations', {
      slug: '!',
      transport,
      headers: { A: given.header },
      env: [given.env],
    });
    await this.asAdmin('an unknown field', 'POST', '/api/integrations', {
      slug: 'x',
      transport: { type: 'http', url },
      surprise: given.header,
    });
    ({ key: this.key } = await this.admin.makeKey({ 'canary-integration': ['*'], 'canary-child': ['*'] }));
    return { http: http.id, stdio: stdio.id };
  }

  private async call(): Promise<void> {
    const long = { deadline_ms: deadlineMs };
    for (let count = 0; count < 3; count++)
      await this.toolCall({ tool: 'canary-integration_hang', arguments: {}, ...long });
    await eventually(() => this.upstream.callsOf('hang').length === 2);
    await this.endAll();
    this.upstream.failNext({ method: 'tools/call', drop: 'handled' });
    for (const tool of ['count-side-effect', 'echo', 'fail', 'protocol-error', 'nothing', 'add']) {
      await this.mcp(tool, {
        method: 'tools/call',
        params: { name: `canary-integration_${tool}`, arguments: { message: 'x' } },
      });
    }
    for (const tool of ['echo', 'exit'])
      await this.mcp(`child ${tool}`, {
        method: 'tools/call',
        params: { name: `canary-child_${tool}`, arguments: { message: 'x' } },
      });
    await this.caller('a key in the query', `/mcp?api_key=${this.key}`, {
      headers: {},
      body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    });
    await this.caller('a broken body', '/mcp', { body: `{"jsonrpc":"2.0","id":"${this.key}` });
    await this.caller('a foreign path', `/api/nowhere/${this.key}`, {});
    await this.caller('a key where the admin key belongs', '/api/integrations', {});
  }

  /** Calls wait and run until they are cancelled. */
  private async endAll(): Promise<void> {
    const { body } = await this.caller('the list of calls', '/api/tool-calls', {});
    for (const { call_id: id } of (body as { items: { call_id: string }[] }).items) {
      await this.caller(`cancel ${id}`, `/api/tool-calls/${id}/cancel`, { method: 'POST' });
      await this.caller(`call ${id}`, `/api/tool-calls/${id}`, {});
    }
  }

  private async lookAround({ http, stdio }: { http: string; stdio: string }): Promise<void> {
    const paths = [http, stdio].flatMap((id) => [`/api/integrations/${id}`, `/api/integrations/${id}/tools`]);
    for (const path of [
      ...paths,
      '/api/integrations',
      '/api/virtual-keys',
      '/api/organizations',
      '/api/openapi.json',
    ]) {
      await this.asAdmin(path, 'GET', path);
    }
    await this.mcp('initialize', {
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    });
    await this.mcp('tools/list', { method: 'tools/list' });
  }

  /** The upstream refuses the credential, of the call and of the next sync. */
  private async ask401(id: string): Promise<void> {
    await this.asAdmin('a wrong header', 'PATCH', `/api/integrations/${id}`, {
      headers: { 'X-Canary': given.wrongHeader },
    });
    await this.mcp('a refused credential', {
      method: 'tools/call',
      params: { name: 'canary-integration_echo', arguments: { message: 'x' } },
    });
    await eventually(async () => (await this.admin.integration(id)).last_failure !== null, {
      timeoutMs: 30_000,
    });
    await this.asAdmin('a refused integration', 'GET', `/api/integrations/${id}`);
    await this.asAdmin('deleted', 'DELETE', `/api/integrations/${id}`);
  }

  private async asAdmin(what: string, method: string, path: string, body?: unknown): Promise<void> {
    this.texts[what] = answerText(await this.admin.send(method, path, body));
  }

  private async mcp(what: string, message: object): Promise<void> {
    await this.caller(what, '/mcp', { body: { jsonrpc: '2.0', id: 1, ...message } });
  }

  private async toolCall(body: object): Promise<void> {
    await this.caller('an accepted call', '/api/tool-calls', { body });
  }

  private async caller(what: string, path: string, request: Ask): Promise<Answer> {
    const answer = await ask(new URL(path, this.switchyard.origin()), {
      headers: bearer(this.key),
      ...request,
    });
    this.texts[what] = answerText(answer);
    return answer;
  }
}

function answerText({ status, headers, text }: Answer): string {
  return `${status} ${JSON.stringify([...headers])} ${text}`;
}

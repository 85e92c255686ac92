import { randomBytes } from 'node:crypto';
import { type ScriptedModel, startScriptedModel } from '@switchyard/demo-model';
import { eventually, startAuthorizationServer, startProtectedUpstream } from '@switchyard/testing';
import { newWebhookKey } from '@switchyard/webhooks';
import { deliver } from '../agents/deliveries.js';
import { callsOnce } from '../agents/scripts.js';
import { type Agent, AgentsApi, type Webhook } from '../harness/agents-api.js';
import { ChatUser } from '../harness/chat-user.js';
import { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import type { IdentityRun } from './run-through-identity.js';

const client = {
  client_id: 'canary-agents-app',
  client_secret: 'canary-secret-of-the-vendors-client-of-agents',
  grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
};
const slug = 'canary-agents';
const tool = `${slug}_whoami`;

/** A model's key, webhooks' secrets and a chat user's token, on their ways through runs that succeed, wait and fail. */
export async function runThroughAgents(switchyard: Switchyard): Promise<IdentityRun> {
  const apiKey = `sk-canary-${randomBytes(18).toString('hex')}`;
  const model = await startScriptedModel({ turns: callsOnce('whoami', [{ name: tool }]) }, { apiKey });
  const people = await People.start(switchyard);
  const vendor = await startAuthorizationServer({
    clients: [client],
    trustedIssuers: [people.identityProvider.issuer],
  });
  const upstream = await startProtectedUpstream({ issuer: vendor.issuer });
  const run = new Run(switchyard, people, model);
  try {
    await run.all(upstream);
    const { secrets, texts } = run;
    const exchanged = [...vendor.secrets, ...people.identityProvider.secrets]
      .map(([value, what], at) => [`${what} of agents ${at}`, value] as const)
      .filter(([, value]) => value.length >= 16);
    return { texts, secrets: { ...secrets, modelKey: apiKey, ...Object.fromEntries(exchanged) } };
  } finally {
    await Promise.all([model.close(), people.close(), vendor.close(), upstream.close()]);
  }
}

class Run {
  readonly texts: Record<string, string> = {};
  readonly secrets: Record<string, string> = {};
  readonly #agents: AgentsApi;

  constructor(
    private readonly switchyard: Switchyard,
    private readonly people: People,
    model: ScriptedModel,
  ) {
    this.#agents = new AgentsApi(switchyard.admin, model);
  }

  async all(upstream: { url: string; resource: string }): Promise<void> {
    const { id } = await this.#agents.admin.register(slug, upstream.url, {
      ...{ auth_mode: 'token_exchange', client_secret: client.client_secret },
      oauth: { client_id: client.client_id, resource: upstream.resource },
    });
    await this.#agents.admin.untilState(id, 'connected');
    this.secrets['agentsClientSecret'] = client.client_secret;
    const agent = await this.#agents.make(slug, { [slug]: ['whoami'] }, { default_policy: null });
    await this.#chat(agent);
    await this.#refuseKey();
    await this.#takeDeliveries(agent);
    await this.#lookAround(agent);
  }

  /** The token lies with the run while that waits for approval. */
  async #chat(agent: Agent): Promise<void> {
    const bob = new ChatUser(this.switchyard.origin(), await this.people.tokenOf('bob'));
    this.secrets['chatToken'] = bob.token;
    const asked = await bob.say(agent.slug, 'whoami');
    this.texts['a chat that waits'] = JSON.stringify(asked);
    const approvalId = asked.pending[0]?.approval_id ?? '';
    for (const [method, path] of [
      ['GET', `/api/approvals/${approvalId}`],
      ['GET', `/api/runs/${asked.run_id}`],
      ['POST', `/api/approvals/${approvalId}/approve`],
      ['GET', `/api/conversations/${asked.conversation_id}`],
    ] as const)
      this.texts[`${method} ${path}`] = (
        await bob.send(method, path, method === 'POST' ? {} : undefined)
      ).text;
    const run = await this.#agents.untilEnded(asked.run_id);
    if (run.calls[0]?.auth_path !== 'exchanged_token')
      throw new Error(`the token went nowhere: ${JSON.stringify(run)}`);
    const stream = await bob.stream(agent.slug, 'whoami');
    await stream.ended;
    this.texts['a streamed chat'] = JSON.stringify(stream.parts);
  }

  /** The model refuses the key, and the run says so. */
  async #refuseKey(): Promise<void> {
    const wrong = `sk-canary-wrong-${randomBytes(18).toString('hex')}`;
    this.secrets['wrongModelKey'] = wrong;
    const agent = await this.#agents.make(`${slug}-wrong`, {}, { model_key: wrong });
    const bob = new ChatUser(this.switchyard.origin(), await this.people.tokenOf('bob'));
    const refused = await bob.say(agent.slug, 'whoami');
    if (refused.status !== 'failed') throw new Error(`a wrong key was taken: ${JSON.stringify(refused)}`);
    this.texts['a refused key'] = JSON.stringify(refused);
    this.texts['the run of a refused key'] = JSON.stringify(await this.#agents.run(refused.run_id));
    await this.#asAdmin('PATCH', `/api/agents/${agent.id}`, { model_key: wrong, surprise: wrong });
  }

  async #takeDeliveries(agent: Agent): Promise<void> {
    const given = newWebhookKey();
    const own = `/api/agents/${agent.id}/webhooks`;
    const body = { name: 'given', input: 'whoami', secret: given };
    this.texts['a given webhook secret'] = (await this.#agents.admin.send('POST', own, body)).text;
    this.texts['a refused webhook'] = (await this.#agents.admin.send('POST', own, { ...body, name: 7 })).text;
    const made = await this.#agents.webhook(agent, { input: 'whoami' });
    const path = `${own}/${made.id}`;
    const turned = await this.#agents.admin.must<Webhook>('POST', `${path}/rotate-secret`, {});
    const webhookSecrets = { givenWebhook: given, madeWebhook: made.secret, turnedWebhook: turned.secret };
    Object.assign(this.secrets, webhookSecrets);
    for (const [what, secret] of Object.entries({ ...webhookSecrets, forged: newWebhookKey() })) {
      const answer = await deliver(this.switchyard, made, { secrets: [secret] });
      this.texts[`a delivery by ${what}`] = answer.text;
      if (answer.status === 202) await this.#agents.untilEnded(answer.body.run_id);
      if ((answer.status === 202) !== ['madeWebhook', 'turnedWebhook'].includes(what))
        throw new Error(`a delivery by ${what}: ${answer.status}`);
    }
    await this.#asAdmin('GET', own);
    await this.#asAdmin('GET', path);
    await this.#asAdmin('PATCH', path, { secret: given });
    await this.#asAdmin('DELETE', `${path}/previous-secret`);
  }

  async #lookAround({ id }: Agent): Promise<void> {
    await eventually(async () => {
      await this.#asAdmin('GET', '/api/audit?action=webhook_refused');
      return this.texts['GET /api/audit?action=webhook_refused']?.includes('signature_wrong');
    });
    for (const path of ['/api/agents', `/api/agents/${id}`, `/api/agents/${id}/tools?context=webhook`])
      await this.#asAdmin('GET', path);
    for (const path of ['/api/runs?limit=200', '/api/runs/export', '/api/approvals', '/api/audit?limit=200'])
      await this.#asAdmin('GET', path);
    await this.#asAdmin('DELETE', `/api/agents/${id}`);
  }

  async #asAdmin(method: string, path: string, body?: unknown): Promise<void> {
    this.texts[`${method} ${path}`] = (await this.#agents.admin.send(method, path, body)).text;
  }
}

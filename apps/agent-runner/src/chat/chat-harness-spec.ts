import { createHash, randomUUID } from 'node:crypto';
import { SnapshotStore } from '@switchyard/access';
import {
  type AgentDefinition,
  type ApprovalDecision,
  type ApprovalDecisionAnswer,
  type AuditEvent,
  PlatformError,
  queues,
  topics,
  type UserRecord,
} from '@switchyard/contracts';
import type { ChatData, ChatMessage } from '@switchyard/models';
import type { RunningService } from '@switchyard/service-kit';
import { eventually, testAudience, type TestQueueBackend, TokenIssuer } from '@switchyard/testing';
import { AbstractChat, type ChatInit, type ChatState, type ChatStatus, DefaultChatTransport } from 'ai';
import { exportJWK, generateKeyPair } from 'jose';
import { RunnerHarness } from '../runner-harness-spec.js';

/** A runner with its HTTP surface. */
export type ChatRunner = { readonly service: RunningService; readonly origin: string };

/** People who chat with agents over HTTP. The test plays dispatch, the registry and the identity provider at the ends of their wires. */
export class ChatHarness {
  readonly decisions: ApprovalDecision[] = [];
  readonly audited: AuditEvent[] = [];
  /** What dispatch says to a decision instead of taking it. */
  refusal: ApprovalDecisionAnswer | undefined;
  /** What happens while dispatch has not yet looked at a decision. */
  meanwhile: (callId: string) => Promise<unknown> = async () => undefined;
  readonly #runners: ChatRunner[] = [];

  private constructor(
    readonly runs: RunnerHarness,
    private readonly issuer: TokenIssuer,
  ) {}

  static async open(backend: TestQueueBackend): Promise<ChatHarness> {
    const runs = await RunnerHarness.open(backend);
    const issuer = await TokenIssuer.start();
    const harness = new ChatHarness(runs, issuer);
    await runs.sql.query(
      `INSERT INTO registry.identity_providers (id, organization_id, name, issuer, audience, client_id, jwks_uri, scopes,
         roles_claim, admin_roles, auditor_roles)
       VALUES ($1, $2, 'test', $3, $4, 'client', $5, '{openid}', 'roles', '{admin}', '{auditor}')`,
      [randomUUID(), runs.orgId, issuer.issuer, testAudience, `${issuer.issuer}/keys`],
    );
    const { queue } = runs;
    queue.consume(queues.userRecords, (record) => harness.#record(record), { concurrency: 4 });
    queue.consume(queues.approvalDecisions, (decision) => harness.#decide(decision), { concurrency: 4 });
    const take = async ({ events }: { events: AuditEvent[] }) => ({
      written: harness.audited.push(...events),
    });
    queue.consume(queues.auditRecords, take, { concurrency: 4 });
    return harness;
  }

  async close(): Promise<void> {
    await this.issuer.close();
    await this.runs.close();
  }

  async startRunner(overrides: Record<string, string> = {}): Promise<ChatRunner> {
    const service = await this.runs.startRunner(overrides);
    const runner = { service, origin: `http://127.0.0.1:${service.httpPort}` };
    this.#runners.push(runner);
    return runner;
  }

  async stopRunner(runner: ChatRunner): Promise<void> {
    this.#runners.splice(this.#runners.indexOf(runner), 1);
    await this.runs.stopRunner(runner.service);
  }

  /** An agent with whom everybody may chat, and whom all runners know. */
  async addAgent(
    overrides: Parameters<RunnerHarness['addAgent']>[0] = {},
    { everyone = true }: { everyone?: boolean } = {},
  ): Promise<AgentDefinition> {
    const agent = await this.runs.addAgent({ chatAccess: { everyone }, ...overrides });
    const change = { entity: 'agent', change: 'created', orgId: agent.orgId, id: agent.id } as const;
    await this.runs.queue.publish(topics.registryChanged, change);
    for (const { service } of this.#runners)
      await eventually(() =>
        service.app.get(SnapshotStore, { strict: false }).current().agents.has(agent.id),
      );
    return agent;
  }

  async token(subject = 'ada', claims: Record<string, unknown> = {}): Promise<string> {
    return this.issuer.sign({ claims: { sub: subject, ...claims } });
  }

  /** A request by a user; a body that is given is posted. */
  async call(
    origin: string,
    path: string,
    {
      body,
      subject,
      ...more
    }: { body?: unknown; subject?: string; method?: string; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    return fetch(origin + path, {
      ...post,
      ...more,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        authorization: `Bearer ${await this.token(subject)}`,
        ...more.headers,
      },
    });
  }

  /** Programs that ask a runner for JSON; unless they are told otherwise, for the user ada. */
  program({ origin }: ChatRunner) {
    const post = (body: object, subject?: string) => this.call(origin, '/api/chat', { body, subject });
    const get = (path: string, subject?: string) => this.call(origin, path, { subject });
    const json = async (body: object, subject?: string): Promise<{ status: number; body: any }> => {
      const answer = await post({ stream: false, ...body }, subject);
      return { status: answer.status, body: await answer.json() };
    };
    const read = async (path: string, subject?: string): Promise<any> => (await get(path, subject)).json();
    return { post, get, json, read };
  }

  /** A conversation whose run waits for approval of its calls. */
  async parked(runner: ChatRunner, overrides: Parameters<RunnerHarness['addAgent']>[0] = {}) {
    const agent = await this.addAgent({ execution: { default: 'require_approval' }, ...overrides });
    const id = randomUUID();
    const { body } = await this.program(runner).json({
      agent: agent.slug,
      conversation_id: id,
      message: 'go',
    });
    // The wait for the answer may be over before the run has come so far.
    const { calls } = await this.runs.reaches(body.run_id as string, 'waiting_approval');
    return { id, agent, runId: body.run_id as string, callIds: calls.map(({ callId }) => callId) };
  }

  /** A chat as a React client has it. */
  async chat(
    { origin }: ChatRunner,
    agent: AgentDefinition,
    { subject, ...init }: ChatInit<ChatMessage> & { subject?: string } = {},
  ): Promise<TestChat> {
    const headers = { authorization: `Bearer ${await this.token(subject)}` };
    const body = { agent: agent.slug };
    const transport = new DefaultChatTransport<ChatMessage>({ api: `${origin}/api/chat`, headers, body });
    return new TestChat({ id: randomUUID(), transport, ...init });
  }

  /** A broker, to whom users' tokens can be sealed. */
  async addBrokerKey(): Promise<void> {
    const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const { kty, crv, x, y } = await exportJWK(publicKey);
    const id = randomUUID();
    const { sql } = this.runs;
    await sql.query(
      `INSERT INTO vault.data_keys (id, master_key_id, wrapped, is_active) VALUES ($1, 'm', '', true)`,
      [id],
    );
    await sql.query(
      `INSERT INTO vault.broker_keys (kid, public_jwk, data_key_id, private_jwk_ciphertext) VALUES ('broker', $1, $2, '')`,
      [JSON.stringify({ kty, crv, x, y }), id],
    );
  }

  /** The user's id, as the registry gives it. */
  async userId(subject: string): Promise<string> {
    const { issuer } = this.issuer;
    const record = { v: 1, orgId: this.runs.orgId, issuer, subject, roles: [] } as const;
    const answer = await this.#record({
      ...record,
      roles: [],
      username: null,
      email: null,
      displayName: null,
    });
    return answer.userId;
  }

  async #record({ orgId, issuer, subject, roles }: UserRecord) {
    const [row] = await this.runs.sql.query<{ id: string; active: boolean }>(
      `INSERT INTO registry.users (id, organization_id, issuer, subject, username, roles) VALUES ($1, $2, $3, $4, $4, $5)
       ON CONFLICT (organization_id, issuer, subject) DO UPDATE SET last_seen_at = now() RETURNING id, active`,
      [randomUUID(), orgId, issuer, subject, roles],
    );
    return { status: 'known' as const, userId: row!.id, active: row!.active };
  }

  async #decide(decision: ApprovalDecision): Promise<ApprovalDecisionAnswer> {
    if (this.refusal) return this.refusal;
    this.decisions.push(decision);
    const { callId, approved, reason, argumentsSha256 } = decision;
    await this.meanwhile(callId);
    const [row] = await this.runs.sql.query<{ asked: { arguments: object }; state: string }>(
      'SELECT asked, a.state FROM runs.run_calls JOIN dispatch.approvals a USING (call_id) WHERE call_id = $1',
      [callId],
    );
    if (row && row.state !== 'pending') return tooLate(row.state);
    if (argumentsSha256 !== null && argumentsSha256 !== digestOf(row?.asked.arguments))
      return { status: 'refused', error: new PlatformError('approval_stale').toInfo() };
    await this.runs.decide(callId, approved, reason ?? undefined);
    return {
      status: 'decided',
      state: approved ? 'approved' : 'denied',
      callState: approved ? 'queued' : 'denied',
    };
  }
}

function tooLate(state: string): ApprovalDecisionAnswer {
  const message = `The approval is ${state} already.`;
  return {
    status: 'refused',
    error: new PlatformError('conflict', { message, details: { state } }).toInfo(),
  };
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

class TestState implements ChatState<ChatMessage> {
  status: ChatStatus = 'ready';
  error: Error | undefined;

  constructor(public messages: ChatMessage[]) {}

  pushMessage = (message: ChatMessage) => void this.messages.push(structuredClone(message));
  popMessage = () => void this.messages.pop();
  replaceMessage = (at: number, message: ChatMessage) => void (this.messages[at] = structuredClone(message));
  snapshot = <T>(thing: T): T => structuredClone(thing);
}

/** `useChat` without React. */
export class TestChat extends AbstractChat<ChatMessage> {
  constructor({ messages = [], ...init }: ChatInit<ChatMessage>) {
    super({ ...init, state: new TestState(messages) });
  }

  get answer(): ChatMessage {
    const { lastMessage } = this;
    if (lastMessage?.role !== 'assistant') throw new Error('there is no answer yet');
    return lastMessage;
  }

  get text(): string {
    return textOf(this.answer);
  }
}

export function textOf({ parts }: ChatMessage): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** The data parts of a name. */
export function dataOf<N extends keyof ChatData>({ parts }: ChatMessage, name: N): ChatData[N][] {
  return parts.flatMap((part) =>
    part.type === `data-${name}` && 'data' in part ? [part.data as ChatData[N]] : [],
  );
}

import { type ScriptedModel } from '@switchyard/demo-model';
import { eventually } from '@switchyard/testing';
import type { AdminApi } from './admin-api.js';

export type LostTool = { readonly tool: string; readonly integration: string; readonly reason: string };
export type Agent = {
  readonly id: string;
  readonly slug: string;
  readonly warnings?: readonly string[];
  readonly lost_unattended?: readonly LostTool[];
};
export type Schedule = {
  readonly id: string;
  readonly agent_id: string;
  readonly is_paused: boolean;
  readonly starts_at: string | null;
  readonly next_run_at: string | null;
  readonly lost_unattended?: readonly LostTool[];
};
export type Webhook = {
  readonly id: string;
  readonly agent_id: string;
  readonly url_path: string;
  readonly secret: string;
};

export type RunStep = { readonly position: number; readonly ended_at: string; readonly text: string | null };
export type RunCall = {
  readonly call_id: string;
  readonly step: number;
  readonly tool: string;
  readonly attempt: number;
  readonly state: string;
  /** Of the ledger; null for what was no call. */
  readonly status: string | null;
  readonly auth_path: string | null;
  readonly arguments: Record<string, unknown>;
  readonly outcome: { readonly problem?: string; readonly error?: { readonly code: string } } | null;
};
export type RunView = {
  readonly id: string;
  readonly state: string;
  readonly kind: string;
  readonly user_id: string | null;
  readonly conversation_id: string | null;
  readonly scheduled_for: string | null;
  readonly started_at: string | null;
  readonly input: { readonly text: string };
  readonly plan: {
    readonly tools: readonly { readonly name: string; readonly policy: string }[];
    readonly left_out: readonly { readonly name: string; readonly reason: string }[];
  } | null;
  readonly output: { readonly kind: string; readonly text?: string } | null;
  readonly error: { readonly code: string } | null;
  readonly steps: readonly RunStep[];
  readonly calls: readonly RunCall[];
  readonly approvals: readonly { readonly call_id: string; readonly state: string }[];
};

const terminal = ['completed', 'failed', 'cancelled'];

/** Agents by a scripted model, and what became of their runs, as an admin manages and reads them. */
export class AgentsApi {
  constructor(
    readonly admin: AdminApi,
    readonly model: ScriptedModel,
  ) {}

  /** An agent whose tools run by themselves and with which everybody may chat, unless `fields` says otherwise. */
  make(
    slug: string,
    grants: Record<string, readonly string[]>,
    fields: Record<string, unknown> = {},
  ): Promise<Agent> {
    return this.admin.must('POST', '/api/agents', {
      ...{ slug, instructions: 'Do as you are told.', default_policy: 'auto_execute' },
      model: {
        ...{ provider: 'openai_compatible', base_url: this.model.baseUrl, model: this.model.model },
      },
      model_key: this.model.apiKey,
      grants: Object.entries(grants).map(([name, tools]) => ({
        ...{ mcp_client_name: name, tools_to_execute: tools },
      })),
      chat_access: { everyone: true },
      ...fields,
    });
  }

  /** Once a year, unless `fields` says otherwise. */
  schedule(agent: Agent, fields: Record<string, unknown> = {}): Promise<Schedule> {
    const rule = 'interval_s' in fields ? {} : { cron: '0 0 1 1 *' };
    return this.admin.must('POST', `/api/agents/${agent.id}/schedules`, {
      ...{ name: 'yearly', input: 'whoami', ...rule, ...fields },
    });
  }

  /** Runs it now; gives the run's id. */
  async runNow({ id, agent_id }: Schedule): Promise<string> {
    const path = `/api/agents/${agent_id}/schedules/${id}/run`;
    const { run_ids } = await this.admin.must<{ run_ids: [string] }>('POST', path);
    return run_ids[0];
  }

  /** Signed by Standard Webhooks, with a secret that is made and shown. */
  webhook(agent: Agent, fields: Record<string, unknown> = {}): Promise<Webhook> {
    return this.admin.must('POST', `/api/agents/${agent.id}/webhooks`, {
      ...{ name: 'deliveries', input: 'A delivery came in.', ...fields },
    });
  }

  run(id: string): Promise<RunView> {
    return this.admin.must('GET', `/api/runs/${id}`);
  }

  async runs(query: Record<string, string>): Promise<RunView[]> {
    const { items } = await this.admin.must<{ items: RunView[] }>(
      'GET',
      `/api/runs?${new URLSearchParams({ limit: '200', ...query })}`,
    );
    return items;
  }

  /** Waits until the run is over. */
  async untilEnded(id: string, timeoutMs = 30_000): Promise<RunView> {
    return eventually(
      async () => {
        const run = await this.run(id);
        if (!terminal.includes(run.state)) throw new Error(`the run is ${run.state}: ${JSON.stringify(run)}`);
        return run;
      },
      { timeoutMs, intervalMs: 100 },
    );
  }
}

/** The sample agent and its demonstration model: a process of ours behind OpenAI's HTTP interface, not a language model. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { freePort, isFree } from '../stores/free-port.ts';
import type { Api } from './http-client.ts';
import { KeptProcess } from './kept-process.ts';
import type { Sample } from './sample-servers.ts';

const slug = 'helper';

/** Tools that only read run by themselves; all others wait for a person. */
const autoExecuted = [
  ...['everything_echo', 'everything_get-sum'],
  ...['filesystem_read_text_file', 'filesystem_list_directory', 'memory_read_graph', 'memory_search_nodes'],
];

type Agent = { id: string; slug: string };
export type DemoModelMemory = { demoModelPort?: number; demoModelKey?: string };
export type DemoModelFacts = { base_url: string; model: string; api_key: string };

export class DemoModel {
  readonly port: number;
  readonly #key: string;
  readonly #process: KeptProcess;

  private constructor(root: string, dataFolder: string, { port, key }: { port: number; key: string }) {
    this.port = port;
    this.#key = key;
    this.#process = new KeptProcess(
      [join(root, 'apps/demo-model/dist/src/main.js')],
      join(dataFolder, 'logs/demo-model.log'),
      { DEMO_MODEL_API_KEY: this.#key, DEMO_MODEL_PORT: String(port) },
    );
  }

  /** On the port of the last start if it is still free, and with its key: agents of one's own may use it. */
  static async start(root: string, dataFolder: string, last: DemoModelMemory): Promise<DemoModel> {
    const { demoModelPort: lastPort } = last;
    const port = lastPort && (await isFree(lastPort)) ? lastPort : await freePort();
    const key = last.demoModelKey ?? `sk-demo-${randomBytes(18).toString('base64url')}`;
    return new DemoModel(root, dataFolder, { port, key });
  }

  /** As `dev.json` shows it. */
  get facts(): DemoModelFacts {
    return { base_url: `http://127.0.0.1:${this.port}/v1`, model: 'demo-1', api_key: this.#key };
  }

  /** What the next start has to know. */
  get memory(): DemoModelMemory {
    return { demoModelPort: this.port, demoModelKey: this.#key };
  }

  /**
   * Makes the sample agent, which may use all samples and with which every user may chat; mends the address and the key of its
   * model at later starts. Whoever deleted it meant it.
   */
  async register(admin: Api, samples: readonly Sample[], isFirstTime: boolean): Promise<string | null> {
    const { items } = await admin<{ items: Agent[] }>('GET', `/api/agents?slug=${slug}`);
    const [known] = items;
    const { base_url, model: name, api_key } = this.facts;
    const model = { model: { provider: 'openai_compatible', base_url, model: name }, model_key: api_key };
    if (known) await admin('PATCH', `/api/agents/${known.id}`, model);
    else if (isFirstTime) await admin('POST', '/api/agents', { ...definitionOf(samples), ...model });
    return known || isFirstTime ? slug : null;
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }
}

function definitionOf(samples: readonly Sample[]): object {
  return {
    slug,
    name: 'Helper (sample)',
    description: 'Answers by a demonstration model: rules, not a language model.',
    instructions: 'Help with the sample servers.',
    grants: samples.map((sample) => ({ mcp_client_name: sample.slug })),
    tool_policies: Object.fromEntries(autoExecuted.map((name) => [name, 'auto_execute'])),
    chat_access: { everyone: true },
  };
}

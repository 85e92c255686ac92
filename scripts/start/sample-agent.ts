/** The sample agent and its demonstration model: a process of ours behind OpenAI's HTTP interface, not a language model. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { freePort } from '../stores/free-port.ts';
import type { Api } from './http-client.ts';
import { KeptProcess } from './kept-process.ts';
import { isFree } from './ports.ts';
import type { Sample } from './sample-servers.ts';

const slug = 'helper';

/** Tools that only read run by themselves; all others wait for a person. */
const autoExecuted = [
  ...['everything_echo', 'everything_get-sum'],
  ...['filesystem_read_text_file', 'filesystem_list_directory', 'memory_read_graph', 'memory_search_nodes'],
];

type Agent = { id: string; slug: string };

export class DemoModel {
  readonly port: number;
  readonly #key = `sk-demo-${randomBytes(18).toString('base64url')}`;
  readonly #process: KeptProcess;

  private constructor(root: string, dataFolder: string, port: number) {
    this.port = port;
    this.#process = new KeptProcess(
      [join(root, 'apps/demo-model/dist/src/main.js')],
      join(dataFolder, 'logs/demo-model.log'),
      { DEMO_MODEL_API_KEY: this.#key, DEMO_MODEL_PORT: String(port) },
    );
  }

  /** On the port of the last start if it is still free. */
  static async start(root: string, dataFolder: string, lastPort?: number): Promise<DemoModel> {
    const port = lastPort && (await isFree(lastPort)) ? lastPort : await freePort();
    return new DemoModel(root, dataFolder, port);
  }

  /**
   * Makes the sample agent, which may use all samples and with which every user may chat; mends the address and the key of its
   * model at later starts. Whoever deleted it meant it.
   */
  async register(admin: Api, samples: readonly Sample[], isFirstTime: boolean): Promise<string | null> {
    const { items } = await admin<{ items: Agent[] }>('GET', `/api/agents?slug=${slug}`);
    const [known] = items;
    const model = {
      model: {
        provider: 'openai_compatible',
        base_url: `http://127.0.0.1:${this.port}/v1`,
        model: 'demo-1',
      },
      model_key: this.#key,
    };
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

import { randomBytes } from 'node:crypto';
import { ModelScript, type ModelScriptInput } from '../script/script.js';
import { ModelServer } from './model-server.js';
import type { SeenRequest } from './request-log.js';

/** A running demonstration model. */
export type RunningModel = {
  /** What an OpenAI-compatible client takes as its base URL: ends in `/v1`. */
  readonly baseUrl: string;
  readonly port: number;
  readonly apiKey: string;
  readonly model: string;
  /** What the model saw since the start or the last reset. */
  readonly requests: () => readonly SeenRequest[];
  readonly close: () => Promise<void>;
};

export type ScriptedModel = RunningModel & {
  /** Forgets the requests and begins the script, or another one, anew. */
  readonly reset: (script?: ModelScriptInput) => void;
};

export type StartOptions = { readonly apiKey?: string; readonly port?: number; readonly host?: string };

const loopback = /^(?:127\.|localhost$|::1$)/;

/** Starts the rule-based model `demo-1`, on loopback where nothing else is said. */
export async function startDemoModel(options: StartOptions = {}): Promise<RunningModel> {
  return started(options, undefined);
}

/**
 * Starts the model `scripted-1`, which answers turn by turn as `script` says. Throws where it should listen on
 * anything but loopback: whoever reaches it may change its script.
 */
export async function startScriptedModel(
  script: ModelScriptInput,
  options: StartOptions = {},
): Promise<ScriptedModel> {
  if (!loopback.test(options.host ?? '127.0.0.1'))
    throw new Error('A scripted model listens on loopback alone.');
  return started(options, ModelScript.parse(script));
}

async function started(options: StartOptions, script: ModelScript | undefined): Promise<ScriptedModel> {
  const apiKey = options.apiKey ?? `sk-demo-${randomBytes(16).toString('hex')}`;
  const server = new ModelServer({ ...options, apiKey, script });
  const port = await server.start();
  return {
    baseUrl: `http://${hostInUrl(options.host)}:${port}/v1`,
    port,
    apiKey,
    model: script ? 'scripted-1' : 'demo-1',
    requests: server.requests,
    reset: (next) => server.reset(next && ModelScript.parse(next)),
    close: () => server.close(),
  };
}

function hostInUrl(host = '127.0.0.1'): string {
  return host.includes(':') ? `[${host}]` : host;
}

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { onBothQueueBackends } from '@switchyard/testing';
import { RunnerHarness } from '../runner-harness-spec.js';

const run = promisify(execFile);
const page = new URL('../../../../docs/agents.md', import.meta.url);

onBothQueueBackends('the deliveries by hand of docs/agents.md', (backend) => {
  let harness: RunnerHarness;
  let origin: string;
  let text: string;

  beforeAll(async () => {
    text = await readFile(page, 'utf8');
    harness = await RunnerHarness.open(backend);
    const { httpPort } = await harness.startRunner();
    origin = `http://127.0.0.1:${httpPort}`;
    harness.script([{ answer: { text: 'Seen.' } }]);
  }, 120_000);
  afterAll(() => harness.close());

  const deliver = async (which: RegExp, scheme: object) => {
    const example = [...text.matchAll(/^```\n(.*?)^```/gms)].find(([, block = '']) => which.test(block))?.[1];
    const script = `set -e\n${example}`.replaceAll('http://127.0.0.1:8080', origin);
    const env = {
      PATH: process.env['PATH'],
      SECRET: harness.webhookSecret,
      HOOK: await harness.addWebhook(await harness.addAgent(), { scheme }),
    };
    const { stdout } = await run('bash', ['-c', script], { env });
    return JSON.parse(stdout) as unknown;
  };

  it('are believed, by Standard Webhooks and by the hmac scheme that stands above its delivery', async () => {
    const accepted = { run_id: expect.any(String), duplicate: false };
    expect(await deliver(/webhook-signature: v1/, { scheme: 'standard', tolerance_s: 300 })).toEqual(
      accepted,
    );
    const [, described = ''] = /"scheme": (\{ "scheme": "hmac"[^}]*\})/.exec(text) ?? [];
    expect(await deliver(/-H "X-Signature/, JSON.parse(described) as object)).toEqual(accepted);
  });
});

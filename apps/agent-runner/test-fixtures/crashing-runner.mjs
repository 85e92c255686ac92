/**
 * A runner as a process of its own, that kills itself before its n-th durable step (`CRASH_AT`): a write of a run, a
 * look into the ledger, a call accepted or enqueued, a question to the model. Plain JavaScript, for Node runs it as it is.
 */
import { Sql } from '@switchyard/database';
import { EgressPolicy } from '@switchyard/mcp-client';
import { QueueClient } from '@switchyard/queue';
import { loadConfig, runService } from '@switchyard/service-kit';
import { AgentRunnerModule } from '../dist/src/agent-runner.module.js';
import { agentRunnerEnv, toAgentRunnerConfig } from '../dist/src/config.js';

let left = Number(process.env.CRASH_AT);
const counted = /INSERT INTO runs|UPDATE runs\.run_calls|SET (agent|iteration|state)|dispatch\./;
const uncounted = /cancel_requested_at IS NOT NULL AS/;

function before(prototype, method, isStep) {
  const original = prototype[method];
  prototype[method] = function (...args) {
    if (isStep(...args) && --left === 0) process.kill(process.pid, 'SIGKILL');
    return original.apply(this, args);
  };
}
const isWrite = (text) => counted.test(text) && !uncounted.test(text);
before(Sql.prototype, 'query', isWrite);
before(Sql.prototype, 'prepared', isWrite);
before(QueueClient.prototype, 'enqueue', (queue) => queue.name.startsWith('tool-calls'));
before(EgressPolicy.prototype, 'fetchLimited', () => true);

const config = {
  ...toAgentRunnerConfig(loadConfig('agent-runner', agentRunnerEnv)),
  queuePrefix: process.env.TEST_PREFIX,
};
await runService({ config: config.service, module: AgentRunnerModule.forRoot(config) });

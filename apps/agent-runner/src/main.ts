import { loadConfig, runService } from '@switchyard/service-kit';
import { AgentRunnerModule } from './agent-runner.module.js';
import { agentRunnerHttp } from './http/agent-runner-http.js';
import { agentRunnerEnv, toAgentRunnerConfig } from './config.js';

const config = toAgentRunnerConfig(loadConfig('agent-runner', agentRunnerEnv));

await runService({
  config: config.service,
  module: AgentRunnerModule.forRoot(config),
  http: agentRunnerHttp,
});

import { loadConfig, runService } from '@switchyard/service-kit';
import { tokenBrokerEnv, toTokenBrokerConfig } from './config.js';
import { TokenBrokerModule } from './token-broker.module.js';

const config = toTokenBrokerConfig(loadConfig('token-broker', tokenBrokerEnv));

await runService({ config: config.service, module: TokenBrokerModule.forRoot(config) });

import 'reflect-metadata';
import { loadConfig, runService } from '@switchyard/service-kit';
import { gatewayEnv, toGatewayConfig } from './config.js';
import { gatewayService } from './gateway-service.js';

const config = toGatewayConfig(loadConfig('gateway', gatewayEnv));
await runService(gatewayService(config));

import type { ServiceOptions } from '@switchyard/service-kit';
import type { GatewayConfig } from './config.js';
import { configureEdge } from './edge/configure-edge.js';
import {
  agentRunnerPaths,
  dispatchPaths,
  forwardToOwners,
  registryPaths,
  streamTimeouts,
  tokenBrokerPaths,
} from './forwarding/forward-to-owners.js';
import { GatewayModule } from './gateway.module.js';
import { mountOAuth } from './oauth/server/mount-oauth.js';

/** The gateway as `runService` takes it; tests start several in one process. */
export function gatewayService(
  config: GatewayConfig,
  options: { queuePrefix?: string } = {},
): ServiceOptions {
  return {
    config: config.service,
    module: GatewayModule.forRoot(config, options),
    http: {
      bodyLimitBytes: config.edge.bodyLimitBytes,
      trustedProxies: config.edge.trustedProxies,
      parsesJson: true,
      configure: async (app) => {
        configureEdge(app, config.edge);
        await mountOAuth(app);
        await forwardToOwners(app, [
          { name: 'registry', urls: [config.registryUrl], paths: registryPaths },
          { name: 'token broker', urls: [config.tokenBrokerUrl], paths: tokenBrokerPaths },
          { name: 'dispatch service', urls: config.dispatchUrls, paths: dispatchPaths },
          {
            ...{ name: 'agent runner', urls: config.agentRunnerUrls, paths: agentRunnerPaths },
            timeouts: streamTimeouts,
          },
        ]);
      },
    },
  };
}

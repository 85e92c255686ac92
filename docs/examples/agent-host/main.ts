import { readConfig } from './config.ts';
import { AgentHost } from './server.ts';

const config = readConfig();
const host = new AgentHost(config);
host.server.listen(config.port, config.host, () => {
  process.stdout.write(`agent-host listens at ${host.origin}, for the users of ${config.issuer}\n`);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    host.server.close();
    host.server.closeAllConnections();
  });

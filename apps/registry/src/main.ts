import { loadConfig, runService } from '@switchyard/service-kit';
import { registryEnv, toRegistryConfig } from './config.js';
import { registryHttp } from './http/registry-http.js';
import { readStdioAllowlist } from './integrations/read-stdio-allowlist.js';
import { RegistryModule } from './registry.module.js';

const env = loadConfig('registry', registryEnv);
const config = toRegistryConfig(env, readStdioAllowlist(env.SWITCHYARD_STDIO_ALLOWLIST));

await runService({ config: config.service, module: RegistryModule.forRoot(config), http: registryHttp });

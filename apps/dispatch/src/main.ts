import { runService } from '@switchyard/service-kit';
import { dispatchConfig } from './config.js';
import { DispatchModule } from './dispatch.module.js';

const config = dispatchConfig();
await runService({ config: config.service, module: DispatchModule.with(config) });

import { loadConfig, runService } from '@switchyard/service-kit';
import { CatalogSyncModule } from './catalog-sync.module.js';
import { catalogSyncEnv, toCatalogSyncConfig } from './config.js';

const config = toCatalogSyncConfig(loadConfig('catalog-sync', catalogSyncEnv));

await runService({ config: config.service, module: CatalogSyncModule.forRoot(config) });

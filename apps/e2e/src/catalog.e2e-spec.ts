import { jest } from '@jest/globals';
import { followsHealth } from './catalog/follows-health.js';
import { followsTools } from './catalog/follows-tools.js';
import { holdsPinnedTools } from './catalog/holds-pinned-tools.js';
import { onOneSwitchyard } from './harness/on-both-queues.js';

jest.setTimeout(60_000);

const env = {
  CATALOG_SYNC_HEALTH_INTERVAL_MS: '300ms',
  CATALOG_SYNC_HEALTH_FAILURES: '4',
  CATALOG_SYNC_RECONNECT_BASE_MS: '500ms',
};

onOneSwitchyard('the catalog', { env }, (switchyard) => {
  followsTools(switchyard);
  holdsPinnedTools(switchyard);
  followsHealth(switchyard);
});

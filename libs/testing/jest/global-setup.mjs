/** Runs once per Jest run, before the first test; its stores end in `global-teardown.mjs`, or with this process. */
import { startTestStores } from '../../../scripts/stores/test-stores.ts';

export default async function globalSetup() {
  const stores = await startTestStores();
  Object.assign(process.env, stores.env);
  globalThis.switchyardTestStores = stores;
}

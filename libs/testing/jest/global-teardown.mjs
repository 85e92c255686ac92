/** Ends the stores that `global-setup.mjs` started. */
export default async function globalTeardown() {
  await globalThis.switchyardTestStores?.stop();
}

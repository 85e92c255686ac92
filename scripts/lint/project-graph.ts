/** Makes Nx's project graph, which the lint rule on module boundaries reads, without its daemon. */
process.env.NX_DAEMON = 'false';
const { createProjectGraphAsync } = await import('@nx/devkit');
await createProjectGraphAsync({ exitOnError: true });
export {};

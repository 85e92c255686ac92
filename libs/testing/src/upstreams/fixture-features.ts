import { ProtocolError, type Server, type ServerContext } from '@modelcontextprotocol/server';

/** A prompt of a fixture: its wire object, and what it answers. */
export type FixturePrompt = {
  wire: { name: string } & Record<string, unknown>;
  get: (args: Record<string, string>, ctx: ServerContext) => Promise<unknown> | unknown;
};

/** A resource, or a template of resources: `read` gives its contents, or nothing where the URI is not its. */
export type FixtureResource = {
  wire: { name: string; uri?: string; uriTemplate?: string } & Record<string, unknown>;
  read: (uri: string, ctx: ServerContext) => Promise<unknown> | unknown;
};

/** What a fixture has besides tools. */
export type FixtureFeatures = {
  prompts: FixturePrompt[];
  resources: FixtureResource[];
  templates: FixtureResource[];
  /** Proposals for an argument's value. */
  complete: (request: Completion) => string[];
};

/** What a client asks `completion/complete`. */
export type Completion = {
  ref: { type: string; name?: string; uri?: string };
  argument: { name: string; value: string };
  context?: { arguments?: Record<string, string> };
};

/** Who subscribed to which resources, of 2025-era clients. */
export type Subscriptions = Map<Server, Set<string>>;

export const featureCapabilities = {
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};

/** Gives a server the features. They are read with each request: a test may change them. */
export function serveFeatures(
  server: Server,
  features: () => FixtureFeatures,
  { subscriptions, pageSize }: { subscriptions: Subscriptions; pageSize: number },
): void {
  servePrompts(server, features, pageSize);
  serveResources(server, features, pageSize);
  server.setRequestHandler('completion/complete', ({ params }) => {
    const values = features().complete(params as Completion);
    return {
      completion: { values: values.slice(0, 100), total: values.length, hasMore: values.length > 100 },
    };
  });
  server.setRequestHandler('resources/subscribe', ({ params }) => {
    const uris = subscriptions.get(server) ?? new Set();
    subscriptions.set(server, uris.add(params.uri));
    return {};
  });
  server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    subscriptions.get(server)?.delete(params.uri);
    return {};
  });
}

function servePrompts(server: Server, features: () => FixtureFeatures, pageSize: number): void {
  server.setRequestHandler('prompts/list', ({ params }) =>
    page('prompts', features().prompts, pageSize, params?.cursor),
  );
  server.setRequestHandler('prompts/get', async ({ params }, ctx) => {
    const prompt = features().prompts.find(({ wire }) => wire.name === params.name);
    if (!prompt) throw new ProtocolError(-32602, `Unknown prompt: ${params.name}`);
    return (await prompt.get(params.arguments ?? {}, ctx)) as never;
  });
}

function serveResources(server: Server, features: () => FixtureFeatures, pageSize: number): void {
  server.setRequestHandler('resources/list', ({ params }) =>
    page('resources', features().resources, pageSize, params?.cursor),
  );
  server.setRequestHandler('resources/templates/list', ({ params }) =>
    page('resourceTemplates', features().templates, pageSize, params?.cursor),
  );
  server.setRequestHandler('resources/read', async ({ params: { uri } }, ctx) => {
    const { resources, templates } = features();
    const known = resources.find(({ wire }) => wire.uri === uri);
    for (const resource of known ? [known] : templates) {
      const result = await resource.read(uri, ctx);
      if (result !== undefined) return result as never;
    }
    throw new ProtocolError(-32602, 'Resource not found', { uri });
  });
}

/** Whether the request is one of a client that speaks 2026-07-28. */
export function isModern(ctx: ServerContext): boolean {
  return ctx.mcpReq.envelope !== undefined;
}

function page(
  key: string,
  all: readonly { wire: object }[],
  size: number,
  cursor: string | undefined,
): never {
  const from = Number(cursor ?? 0);
  if (!Number.isInteger(from) || from < 0) throw new ProtocolError(-32602, 'Unknown cursor');
  const next = from + size;
  const wires = all.slice(from, next).map(({ wire }) => wire);
  return { [key]: wires, ...(next < all.length && { nextCursor: String(next) }) } as never;
}

import { afterAll } from '@jest/globals';
import { type FixtureOptions, type FixtureUpstream, startFixtureUpstream } from '@switchyard/testing';
import type { AdminApi, Integration } from './admin-api.js';
import type { Switchyard } from './switchyard.js';
import { ToolCallsApi } from './tool-calls-api.js';

/** A fixture upstream that is registered and connected, and a key for all its tools. */
export type ConnectedFixture = {
  readonly slug: string;
  readonly upstream: FixtureUpstream;
  readonly integration: Integration;
  readonly admin: AdminApi;
  readonly key: string;
  readonly calls: ToolCallsApi;
};

export type ConnectOptions = {
  upstream?: FixtureOptions;
  /** Of the integration: limits, overrides. */
  fields?: Record<string, unknown>;
  admin?: AdminApi;
};

type Undo = () => Promise<unknown> | void;

/** Undoes in `afterAll`, last first, what the tests of a `describe` block have set up. */
export function undoAfterAll(): (undo: Undo) => void {
  const steps: Undo[] = [];
  afterAll(async () => {
    // What a failed test left broken must not keep the rest from being taken away.
    for (const undo of steps.reverse()) await Promise.resolve(undo()).catch(() => undefined);
  }, 60_000);
  return (undo) => steps.push(undo);
}

/** Starts a fixture, registers it under `slug`, and waits until its tools can be called. `undo` takes both away. */
export async function connectFixture(
  switchyard: Switchyard,
  slug: string,
  undo: (step: Undo) => void,
  { upstream: options, fields, admin = switchyard.admin }: ConnectOptions = {},
): Promise<ConnectedFixture> {
  const upstream = await startFixtureUpstream(options);
  undo(() => upstream.close());
  const integration = await admin.connect(slug, upstream.url, fields);
  undo(() => admin.send('DELETE', `/api/integrations/${integration.id}`));
  const { key } = await admin.makeKey({ [slug]: ['*'] });
  return {
    slug,
    upstream,
    integration,
    admin,
    key,
    calls: new ToolCallsApi(() => switchyard.dev.gateway_url, key),
  };
}

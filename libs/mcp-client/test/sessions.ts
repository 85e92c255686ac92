import { afterEach, jest } from '@jest/globals';
import { startFixtureUpstream, type FixtureOptions, type FixtureUpstream } from '@switchyard/testing';
import type { ToolResult } from '@switchyard/contracts';
import { createEgressPolicy } from '../src/egress/egress-policy.js';
import { UpstreamError } from '../src/failures/upstream-error.js';
import { UpstreamSession, type ConnectOptions } from '../src/sessions/upstream-session.js';
import type { UpstreamTarget } from '../src/sessions/upstream-target.js';

jest.setTimeout(60_000);

/** What a test opened; closed after it, last first. */
export const closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** An upstream over HTTP. */
export function target(url: string, more: Partial<UpstreamTarget> = {}): UpstreamTarget {
  return { integrationId: 'i', transport: { type: 'http', url }, headers: {}, ...more };
}

/** A fixture upstream that ends with the test. */
export async function upstreamOf(options: FixtureOptions = {}): Promise<FixtureUpstream> {
  const upstream = await startFixtureUpstream(options);
  closing.push(() => upstream.close());
  return upstream;
}

/** A session that ends with the test. */
export async function connect(
  to: UpstreamTarget,
  options: Partial<ConnectOptions> = {},
): Promise<UpstreamSession> {
  const egress = createEgressPolicy({ allowPrivate: true });
  closing.push(() => egress.close());
  const session = await UpstreamSession.connect(to, { egress, timeoutMs: 15_000, ...options });
  closing.push(() => session.close());
  return session;
}

/** A fixture upstream and a session with it. */
export async function pair(
  options: FixtureOptions = {},
): Promise<{ upstream: FixtureUpstream; session: UpstreamSession }> {
  const upstream = await upstreamOf(options);
  return { upstream, session: await connect(target(upstream.url)) };
}

export const call = (
  session: UpstreamSession,
  name: string,
  args: Record<string, unknown> = {},
  more: object = {},
): Promise<ToolResult> => session.call({ name, arguments: args, timeoutMs: 15_000, ...more });

/** The failure of work that must fail. */
export async function failureOf(work: Promise<unknown>): Promise<UpstreamError['failure']> {
  const error = await work.then(
    (value) => new Error(`it succeeded: ${JSON.stringify(value)?.slice(0, 200)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UpstreamError)) throw error;
  return error.failure;
}

import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { ask } from '../harness/http.js';
import { bearer, type RpcAnswer, type ToolResult } from '../harness/mcp-rpc.js';
import type { CallView } from '../harness/tool-calls-api.js';
import type { Switchyard } from '../harness/switchyard.js';
import type { Span, TraceCollector } from './trace-collector.js';

const slug = 'traced';
const tool = `${slug}_whoami`;
const secret = `canary-${randomBytes(18).toString('hex')}`;

type Seen = { headers: Record<string, string>; meta: Record<string, unknown> };
type Traceparent = { traceId: string; spanId: string };

/** One trace from the face over the queue to the upstream. */
export function followsCalls(switchyard: () => Switchyard, collector: () => TraceCollector): void {
  describe('the trace of a call', () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    beforeAll(async () => {
      const headers = { 'x-token': secret };
      fixture = await connectFixture(switchyard(), slug, undo, {
        upstream: { requiredHeaders: headers },
        fields: { auth_mode: 'headers', headers },
      });
    });

    const overMcp = async (headers: Record<string, string>, meta?: object): Promise<Seen> => {
      const params = { name: tool, arguments: {}, ...(meta && { _meta: meta }) };
      const { body } = await ask<RpcAnswer>(switchyard().mcpUrl, {
        headers: { ...bearer(fixture.key), ...headers },
        body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      });
      return seenBy(body.result);
    };
    const overAsyncApi = async (headers: Record<string, string>): Promise<Seen> => {
      const { body } = await ask<CallView>(new URL('/api/tool-calls', switchyard().origin()), {
        headers: { ...bearer(fixture.key), ...headers },
        body: { tool, arguments: {} },
      });
      return seenBy((await fixture.calls.untilEnded(body.call_id)).result ?? undefined);
    };

    const faces = {
      '/mcp, by its header': (traceparent: string) => overMcp({ traceparent }),
      '/mcp, by its _meta': (traceparent: string) => overMcp({}, { traceparent }),
      'the async API': (traceparent: string) => overAsyncApi({ traceparent }),
    };
    type Face = keyof typeof faces;
    let made: Record<Face, { caller: Traceparent; seen: Seen }>;

    // All at once: spans are exported every five seconds.
    beforeAll(async () => {
      const calls = Object.entries(faces).map(async ([face, call]) => {
        const caller = newParent();
        return [face, { caller, seen: await call(`00-${caller.traceId}-${caller.spanId}-01`) }];
      });
      made = Object.fromEntries(await Promise.all(calls)) as typeof made;
    });

    it.each(Object.keys(faces) as Face[])(
      'goes on from the caller over the queue to the upstream: %s',
      async (face) => {
        const { caller, seen } = made[face];
        const header = parse(seen.headers['traceparent']);
        expect(header?.traceId).toBe(caller.traceId);
        expect(parse(seen.meta['traceparent'])).toEqual(header);

        const path = await eventually(() => pathTo(caller, header, collector()), { timeoutMs: 20_000 });
        expect(path.map(({ service }) => service).filter((name, at, all) => name !== all[at - 1])).toEqual([
          'gateway',
          'dispatch',
        ]);
        expect(path.map(({ name }) => name).join()).toMatch(/process tool-calls-(interactive|background)/);
      },
    );

    it('takes in the lease of the credential at the token broker', async () => {
      await eventually(
        () =>
          Object.values(made).some(({ caller }) =>
            collector()
              .spansOf(caller.traceId)
              .some(({ service }) => service === 'token-broker'),
          ),
        { timeoutMs: 20_000 },
      );
    });

    it('holds no secret', () => {
      expect(collector().text()).toContain(tool);
      for (const hidden of [secret, fixture.key, switchyard().dev.admin_key])
        expect(collector().text()).not.toContain(hidden);
    });
  });
}

function seenBy(result: ToolResult | undefined): Seen {
  if (!result?.structuredContent) throw new Error(`no answer of whoami: ${JSON.stringify(result)}`);
  return result.structuredContent as Seen;
}

function newParent(): Traceparent {
  return { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
}

function parse(traceparent: unknown): Traceparent | undefined {
  const [, traceId, spanId] = String(traceparent).split('-');
  return traceId && spanId ? { traceId, spanId } : undefined;
}

/** The spans from the caller's down to the one that the upstream saw; undefined until all have arrived. */
function pathTo(caller: Traceparent, seen: Traceparent | undefined, collector: TraceCollector) {
  const spans = new Map(collector.spansOf(caller.traceId).map((span) => [span.spanId, span]));
  const path: Span[] = [];
  for (let at = seen?.spanId; at !== caller.spanId;) {
    const span = spans.get(at ?? '');
    if (!span) return undefined;
    path.unshift(span);
    at = span.parentSpanId;
  }
  return path;
}

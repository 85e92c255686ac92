import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from './faults.js';
import type { FixtureTool } from './fixture-tool.js';
import type { RecordedCall } from './call-log.js';

/** What can be steered from another process. */
export type Controlled = {
  calls: RecordedCall[];
  tools: () => FixtureTool[];
  setTools: (tools: FixtureTool[]) => Promise<void>;
  forgetSessions: () => Promise<void>;
  failNext: (fault: Fault) => void;
};

/**
 * The steering wheel of a fixture that runs as a process of its own: `GET /_fixture/calls`,
 * `POST /_fixture/fail-next` (a `Fault`), `/_fixture/forget-sessions`, `/_fixture/remove-tools` (a list of names).
 */
export async function control(
  upstream: Controlled,
  req: IncomingMessage,
  res: ServerResponse,
  body: unknown,
): Promise<void> {
  const action = req.url?.slice('/_fixture/'.length);
  if (action === 'fail-next') upstream.failNext(body as Fault);
  else if (action === 'forget-sessions') await upstream.forgetSessions();
  else if (action === 'remove-tools') {
    const names = new Set(body as string[]);
    await upstream.setTools(upstream.tools().filter(({ wire }) => !names.has(wire.name)));
  } else if (action !== 'calls') return void res.writeHead(404).end();
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(upstream.calls));
}

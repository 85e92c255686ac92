import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** One tool call as the upstream saw it. */
export type RecordedCall = { tool: string; arguments: Record<string, unknown>; at: number };

/** What an upstream was asked to do, in order; also in a file, which other processes and later starts can read. */
export class CallLog {
  readonly calls: RecordedCall[] = [];

  constructor(private readonly file?: string) {}

  add(tool: string, args: Record<string, unknown>): void {
    const call = { tool, arguments: args, at: Date.now() };
    this.calls.push(call);
    // Synchronous: a side effect counts from the moment that the tool ran, even if the process dies right after.
    if (this.file) appendFileSync(this.file, `${JSON.stringify(call)}\n`);
  }

  of(tool: string): RecordedCall[] {
    return this.calls.filter((call) => call.tool === tool);
  }
}

/** The calls that an upstream with `callsFile` has written so far. */
export function readCalls(file: string): RecordedCall[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedCall);
}

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import {
  SdkError,
  SdkErrorCode,
  deserializeMessage,
  serializeMessage,
  type JSONRPCMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { bodyTooLarge } from '../egress/cap-body.js';
import { currentExchange } from '../sessions/exchange.js';
import { LineReader } from './line-reader.js';
import type { StdioCommand } from './match-stdio.js';
import { OutputTail } from './output-tail.js';
import { processGuard } from './process-guard.js';
import { signalGroup } from './process-group.js';

/** All that a child finds in its environment besides the variables that its entry names. */
const FIXED_ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
const STDERR_TAIL = 4096;

export type StdioProcessOptions = {
  command: StdioCommand;
  /** Values of the lease; only those that the command's entry names reach the child. */
  env: Record<string, string>;
  maxLineBytes: number;
  /** How long the child may take to end by itself after its stdin ended, and again after SIGTERM. */
  graceMs: number;
};

/**
 * An MCP server as a child process that speaks over its stdin and stdout. It has a process group of its own, which
 * ends as a whole: on close, when the child exits, when a line is too long, and when this process dies.
 */
export class StdioProcess implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  /** Why the child was ended by us, if it was. */
  failure?: Error;
  private child: ChildProcessWithoutNullStreams | undefined;
  private ended: Promise<void> | undefined;
  private readonly tail: OutputTail;

  constructor(private readonly options: StdioProcessOptions) {
    this.tail = new OutputTail(STDERR_TAIL, Object.values(options.env));
  }

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** The end of what the child wrote to stderr, less the values that it was given. */
  get stderr(): string {
    return this.tail.read();
  }

  async start(): Promise<void> {
    await processGuard.ready();
    const { command, args, env: names } = this.options.command;
    const given = Object.entries(this.options.env).filter(([name]) => names.includes(name));
    const child = spawn(command, args, {
      shell: false,
      detached: true,
      cwd: '/',
      env: { ...FIXED_ENV, ...Object.fromEntries(given) },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    if (child.pid) processGuard.watch(child.pid);
    this.child = child;
    this.ended = this.watchEnd(child);
    this.read(child);
    await Promise.race([
      once(child, 'spawn'),
      this.ended.then(() => Promise.reject(this.failure ?? notConnected())),
    ]);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    // A turn of the event loop reads the news of a death that has happened already: then nothing is sent.
    await new Promise((resolve) => setImmediate(resolve));
    const { child } = this;
    if (!child?.stdin.writable || child.exitCode !== null || child.signalCode !== null) throw notConnected();
    const exchange = currentExchange.getStore();
    if (exchange) exchange.facts.requestSent = true;
    if (!child.stdin.write(serializeMessage(message)))
      await Promise.race([once(child.stdin, 'drain'), this.ended]);
  }

  /** Ends the child as the specification says (stdin, SIGTERM, SIGKILL), and whatever is left of its group. */
  async close(): Promise<void> {
    const { child, ended } = this;
    if (!child?.pid || !ended) return;
    child.stdin.end();
    if (await endsWithin(ended, this.options.graceMs)) return;
    signalGroup(child.pid, 'SIGTERM');
    if (await endsWithin(ended, this.options.graceMs)) return;
    signalGroup(child.pid, 'SIGKILL');
    await ended;
  }

  private read(child: ChildProcessWithoutNullStreams): void {
    const lines = new LineReader(
      this.options.maxLineBytes,
      (line) => this.receive(line),
      () => this.kill(child, bodyTooLarge(this.options.maxLineBytes)),
    );
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => this.tail.push(chunk));
    child.stdin.on('error', (error) => this.onerror?.(error));
    // Without its stdout a child cannot answer: it is as good as dead, and gets as long as any to end.
    child.stdout.once('end', () => void this.close());
  }

  private receive(line: string): void {
    if (line.trim() === '') return;
    try {
      this.onmessage?.(deserializeMessage(line));
    } catch (error) {
      // Many servers log to stdout; a line that is no message is theirs to mend, not ours to die of.
      this.onerror?.(error as Error);
    }
  }

  private kill(child: ChildProcessWithoutNullStreams, failure: Error): void {
    this.failure = failure;
    if (child.pid) signalGroup(child.pid, 'SIGKILL');
  }

  /** Settles when the child has ended and its output is read, or at most a second after it ended. */
  private async watchEnd(child: ChildProcessWithoutNullStreams): Promise<void> {
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', (error) => {
        this.failure ??= error;
        resolve();
      });
    });
    if (child.pid) {
      // A grandchild may still live in the group, and hold the pipes.
      signalGroup(child.pid, 'SIGKILL');
      await endsWithin(closed, 1000);
      processGuard.release(child.pid);
    }
    this.onclose?.();
  }
}

function notConnected(): SdkError {
  return new SdkError(SdkErrorCode.NotConnected, 'the process does not run');
}

async function endsWithin(ended: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  const inTime = await Promise.race([ended.then(() => true as const), late]);
  clearTimeout(timer);
  return inTime;
}

/** Writes a process's output to its log file; log lines above `info` go to the console too. */
import { createWriteStream, existsSync, renameSync } from 'node:fs';
import type { Readable } from 'node:stream';

const shown = new Set(['warn', 'error', 'fatal']);
const kept = 30;

export class ServiceLog {
  readonly #file;
  readonly #tail: string[] = [];
  #isQuiet = false;
  readonly #name: string;

  /** The log of the start before stays beside it, as `….1`. */
  constructor(name: string, path: string) {
    this.#name = name;
    if (existsSync(path)) renameSync(path, `${path}.1`);
    this.#file = createWriteStream(path, { mode: 0o600 });
  }

  /** Takes in a stream until it ends. */
  follow(stream: Readable | null): void {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      this.#file.write(text);
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#line(line);
    });
  }

  /** The last lines of the process, for when it does not come up. */
  tail(): string {
    return this.#tail.join('\n');
  }

  /** Another process begins. */
  restart(): void {
    this.#tail.length = 0;
  }

  /** From now on nothing goes to the console. */
  quiet(): void {
    this.#isQuiet = true;
  }

  #line(line: string): void {
    this.#tail.push(line);
    if (this.#tail.length > kept) this.#tail.shift();
    const text = this.#isQuiet ? undefined : readable(line);
    if (text) process.stderr.write(`[${this.#name}] ${text}\n`);
  }
}

function readable(line: string): string | undefined {
  try {
    const { level, msg, err } = JSON.parse(line) as {
      level?: string;
      msg?: string;
      err?: { message?: string };
    };
    return shown.has(level ?? '')
      ? `${level}: ${msg ?? ''}${err?.message ? ` (${err.message})` : ''}`
      : undefined;
  } catch {
    return undefined;
  }
}

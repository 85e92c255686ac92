/**
 * Cuts a stream of bytes into lines. A line beyond the limit is reported once, and nothing after it: the stream's
 * framing is lost then, and so must be its process.
 */
export class LineReader {
  private parts: Buffer[] = [];
  private bytes = 0;
  private overflown = false;

  constructor(
    private readonly limitBytes: number,
    private readonly onLine: (line: string) => void,
    private readonly onOverflow: () => void,
  ) {}

  push(chunk: Buffer): void {
    let rest = chunk;
    while (!this.overflown && rest.length > 0) {
      const end = rest.indexOf(0x0a);
      this.append(end < 0 ? rest : rest.subarray(0, end));
      if (end < 0 || this.overflown) return;
      const line = Buffer.concat(this.parts).toString('utf8').replace(/\r$/, '');
      this.parts = [];
      this.bytes = 0;
      this.onLine(line);
      rest = rest.subarray(end + 1);
    }
  }

  private append(part: Buffer): void {
    this.bytes += part.length;
    if (this.bytes <= this.limitBytes) return void this.parts.push(part);
    this.overflown = true;
    this.parts = [];
    this.onOverflow();
  }
}

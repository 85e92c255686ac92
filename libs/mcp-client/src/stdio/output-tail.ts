/** The end of a child's stderr, without the secrets that the child was given. */
export class OutputTail {
  private text = '';

  constructor(
    private readonly limit: number,
    private readonly secrets: string[],
  ) {}

  push(chunk: Buffer): void {
    // Twice the limit is kept, so that a secret that straddles the cut is still recognized.
    this.text = (this.text + chunk.toString('utf8')).slice(-2 * this.limit);
  }

  read(): string {
    let text = this.text;
    for (const secret of this.secrets) if (secret.length >= 4) text = text.replaceAll(secret, '[redacted]');
    return text.slice(-this.limit).trim();
  }
}

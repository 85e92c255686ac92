import { PlatformError } from '@switchyard/contracts';
import type { Headers } from 'undici';
import type { BodyLimit } from './plain-fetch.js';

/** The error that a body beyond its limit ends with. */
export function bodyTooLarge(limitBytes: number): PlatformError {
  return new PlatformError('result_too_large', { details: { limit_bytes: limitBytes } });
}

/**
 * The body, limited to so many bytes after decompression. A stream of events may go on for ever: there the limit
 * holds for each event. Beyond it the body ends with `result_too_large`, which `onTooLarge` is told too.
 */
export function capBody(
  body: AsyncIterable<Uint8Array>,
  headers: Headers,
  limit: BodyLimit,
): AsyncIterable<Uint8Array> {
  if (isBounded(headers, limit.maxBodyBytes)) return body;
  const events = headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  return counted(body, events ? new EventSize() : new TotalSize(), limit);
}

async function* counted(
  body: AsyncIterable<Uint8Array>,
  size: TotalSize | EventSize,
  { maxBodyBytes, onTooLarge }: BodyLimit,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of body) {
    if (size.add(chunk) > maxBodyBytes) {
      const error = bodyTooLarge(maxBodyBytes);
      onTooLarge?.(error);
      throw error;
    }
    yield chunk;
  }
}

/** An honest, uncompressed length needs no counting: the HTTP parser holds the body to it. */
function isBounded(headers: Headers, limitBytes: number): boolean {
  const length = headers.get('content-length');
  return length !== null && !headers.has('content-encoding') && Number(length) <= limitBytes;
}

class TotalSize {
  private bytes = 0;

  add(chunk: Uint8Array): number {
    this.bytes += chunk.byteLength;
    return this.bytes;
  }
}

/** Bytes since the last empty line, which ends an event. */
class EventSize {
  private bytes = 0;
  private tail = '';

  add(chunk: Uint8Array): number {
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = Math.max(text.lastIndexOf('\n\n'), text.lastIndexOf('\r\n\r\n'), text.lastIndexOf('\r\r'));
    const seam = this.tail + text.subarray(0, 3).toString('latin1');
    if (end >= 0) this.bytes = text.length - end;
    else if (/\n\n|\r\n\r\n|\r\r/.test(seam)) this.bytes = text.length;
    else this.bytes += text.length;
    this.tail = text.subarray(-3).toString('latin1');
    return this.bytes;
  }
}

import { PlatformError, type ToolResult, type UpstreamFailure } from '@switchyard/contracts';

export type CappedResult = { text: string; bytes: number; tooLarge: UpstreamFailure | null };

/** Measures a result as the JSON text that is kept and sent on, and refuses one over the limit (requirements E25). */
export function capResult(result: ToolResult, limitBytes: number): CappedResult {
  const text = JSON.stringify(result);
  const bytes = Buffer.byteLength(text);
  if (bytes <= limitBytes) return { text, bytes, tooLarge: null };
  const error = new PlatformError('result_too_large', {
    message: `It has ${bytes} bytes; the limit is ${limitBytes}.`,
    details: { size_bytes: bytes, limit_bytes: limitBytes },
  });
  return { text, bytes, tooLarge: { failureClass: 'answered', error: error.toInfo() } };
}

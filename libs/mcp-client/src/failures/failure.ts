import { errorCatalog, type ErrorCode, type FailureClass, type UpstreamFailure } from '@switchyard/contracts';

/** A failure with the catalog's own text. */
export function failure(
  failureClass: FailureClass,
  code: ErrorCode,
  details?: Record<string, unknown>,
  retryAfterMs?: number,
): UpstreamFailure {
  const error = { code, message: errorCatalog[code].publicMessage, ...(details && { details }) };
  return { failureClass, error: retryAfterMs === undefined ? error : { ...error, retryAfterMs } };
}

/** An answer that is an error of MCP or JSON-RPC, or that is neither. The upstream's own text is cut short. */
export function protocolFailure(
  upstreamCode: number | undefined,
  upstreamMessage: string,
  upstreamData?: unknown,
): UpstreamFailure {
  const isSmall = upstreamData !== undefined && (JSON.stringify(upstreamData)?.length ?? MAX_DATA) < MAX_DATA;
  return failure('answered', 'upstream_protocol_error', {
    ...(upstreamCode !== undefined && { upstream_code: upstreamCode }),
    upstream_message: upstreamMessage.slice(0, 500),
    ...(isSmall && { upstream_data: upstreamData }),
  });
}

const MAX_DATA = 4096;

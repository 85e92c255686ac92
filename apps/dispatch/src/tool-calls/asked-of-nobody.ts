import {
  PlatformError,
  type ToolCallJob,
  type ToolResult,
  type UpstreamFailure,
} from '@switchyard/contracts';
import { capabilitiesOf } from '../upstreams/client-side.js';

/** A result that asks for input where nobody is there to give it; else null. What a client can answer, its face sees to. */
export function askedOfNobody({ client }: ToolCallJob, result: ToolResult): UpstreamFailure | null {
  if (result['resultType'] !== 'input_required' || capabilitiesOf(client)) return null;
  const methods = Object.values(result['inputRequests'] ?? {}).map(
    (request: { method?: unknown } | null) => request?.method,
  );
  const asked = methods.filter((method) => typeof method === 'string');
  // A server may only want to be asked again, with its own state.
  if (asked.length === 0) return null;
  const details = { methods: [...new Set(asked)].slice(0, 10) };
  const error = new PlatformError('client_capability_missing', { details });
  return { failureClass: 'answered', error: error.toInfo() };
}

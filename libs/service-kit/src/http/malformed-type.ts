import type { IncomingHttpHeaders } from 'node:http';

const mediaType = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/;

/**
 * Leaves out a `Content-Type` that is none (`foo`, or nothing), so that the body counts as one without a type. Fastify refuses
 * it before any parser is asked, also where a route takes bodies of every type.
 */
export function leaveOutMalformedType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (type !== undefined && !mediaType.test(type)) delete headers['content-type'];
}

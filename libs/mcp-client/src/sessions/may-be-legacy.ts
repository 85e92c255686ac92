import type { UpstreamFailure } from '@switchyard/contracts';

/**
 * Whether a server that could not be connected to may be a legacy one that our question about its era upset: an old
 * process exits on any request before `initialize`, an old web server fails on it. A gateway's 502 to 504 say nothing
 * of the server. Pure.
 */
export function mayBeLegacy(isStdio: boolean, { error }: UpstreamFailure): boolean {
  const { reason, upstream_status: status } = error.details ?? {};
  return isStdio ? reason === 'connection_lost' : status === 500 || status === 501;
}

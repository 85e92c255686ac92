/** Why a connection could not be made or was lost, in words that name no address. */
export type NetworkReason =
  'connection_refused' | 'dns' | 'tls' | 'connect_timeout' | 'unreachable' | 'connection_lost' | 'timeout';

const REASONS: Record<string, NetworkReason> = {
  ECONNREFUSED: 'connection_refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  ENODATA: 'dns',
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  ETIMEDOUT: 'connect_timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ENOENT: 'unreachable',
  EACCES: 'unreachable',
  ECONNRESET: 'connection_lost',
  EPIPE: 'connection_lost',
  UND_ERR_SOCKET: 'connection_lost',
  UND_ERR_CLOSED: 'connection_lost',
  UND_ERR_DESTROYED: 'connection_lost',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection_lost',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
};

/** The first reason that a chain of errors names by its codes, if any. */
export function networkReason(chain: Error[]): NetworkReason | undefined {
  for (const error of chain) {
    const code = String((error as NodeJS.ErrnoException).code ?? '');
    const reason = REASONS[code] ?? (/CERT|_TLS_|ERR_SSL|SELF_SIGNED|ALTNAME/.test(code) ? 'tls' : undefined);
    if (reason) return reason;
  }
  return undefined;
}

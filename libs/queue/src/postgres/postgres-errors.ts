/** Classes and codes of SQLSTATE that speak of the connection or the server, and not of the statement. */
const connectionStates = /^(08...|57P0[1-5]|53300)$/;

/** What node and `pg` say when the connection is gone; `pg` has no codes for its own. */
const connectionCodes = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)$/;
const connectionMessages =
  /connection terminated|connection error|not queryable|timeout (expired|exceeded)|read timeout/i;

type Failure = { code?: unknown; message?: unknown; errors?: unknown };

/** Whether the store could not be reached, as opposed to having refused a statement. */
export function isConnectionFailure(error: unknown): boolean {
  const { code, message, errors } = (error ?? {}) as Failure;
  if (Array.isArray(errors)) return errors.some(isConnectionFailure);
  if (typeof code === 'string' && (connectionStates.test(code) || connectionCodes.test(code))) return true;
  return typeof message === 'string' && connectionMessages.test(message);
}

/** Whether the server answered with an error: whatever the statement wanted has not happened. */
export function isRefusal(error: unknown): boolean {
  const { code } = (error ?? {}) as Failure;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !isConnectionFailure(error);
}

/**
 * BullMQ knows a lost connection by this code alone, waits, and tries again. Every other error makes its worker
 * loop spin, and turns a completion into a failure.
 */
export function asConnectionRefused(cause: unknown): Error {
  return Object.assign(new Error('The PostgreSQL queue store is not reachable.', { cause }), {
    code: 'ECONNREFUSED',
  });
}

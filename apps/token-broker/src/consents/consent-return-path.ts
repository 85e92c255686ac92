/**
 * Where a user goes on who connects in the middle of something else: to a consent page of the gateway's authorization
 * server, and nowhere else. Null: they stay here.
 */
export function consentReturnPath(text: unknown): string | null {
  return typeof text === 'string' && /^\/oauth2\/interaction\/[\w-]{1,64}$/.test(text) ? text : null;
}

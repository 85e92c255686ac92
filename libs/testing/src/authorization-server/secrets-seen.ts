import type { KoaContextWithOIDC } from 'oidc-provider';

const ofRequests = ['code', 'code_verifier', 'client_secret', 'refresh_token', 'subject_token', 'token'];
const ofAnswers = ['access_token', 'refresh_token', 'id_token', 'client_secret', 'registration_access_token'];

/** Everything in one exchange with the server that must be nowhere else, by what it is. */
export function secretsSeen(ctx: KoaContextWithOIDC): Record<string, string> {
  const params = (ctx.oidc as { params?: Record<string, unknown> } | undefined)?.params ?? {};
  const answer =
    typeof ctx.body === 'object' && ctx.body !== null ? (ctx.body as Record<string, unknown>) : {};
  return { ...textsOf(params, ofRequests), ...textsOf(answer, ofAnswers) };
}

function textsOf(of: Record<string, unknown>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (typeof of[name] === 'string' ? [[name, of[name]]] : [])),
  ) as Record<string, string>;
}

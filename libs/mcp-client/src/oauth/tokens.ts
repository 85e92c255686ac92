/** What a token endpoint gave. */
export type Tokens = {
  accessToken: string;
  /** To be used next. A refresh that brings none keeps the one that was sent. */
  refreshToken: string | null;
  /** Epoch ms; null: the server does not say. */
  expiresAt: number | null;
  /** null: the server does not say, so they are those that were asked for. */
  scopes: string[] | null;
};

export type RefusedError =
  'invalid_grant' | 'invalid_client' | 'invalid_scope' | 'unauthorized_client' | 'other';

/** The server understood, and said no. The description never holds a secret. */
export type Refused = { status: 'refused'; error: RefusedError; description: string };

/** No answer, or none that says anything of the credential: it stays as it is. */
export type Unavailable = { status: 'unavailable'; reason: string; retryAfterMs: number | null };

export type TokenOutcome = { status: 'ok'; tokens: Tokens } | Refused | Unavailable;

export type RevocationOutcome = { status: 'ok' } | Refused | Unavailable;

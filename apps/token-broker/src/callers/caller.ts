/** A user at a browser, or with a token of their own. */
export type UserCaller = {
  readonly kind: 'user';
  readonly orgId: string;
  readonly userId: string;
  readonly name: string | null;
  /** By the roles that the identity provider's settings name. */
  readonly isAdmin: boolean;
  readonly isAuditor: boolean;
  /** Null: by a token. */
  readonly sessionId: string | null;
};
/** An admin key: a program of the organization's admins, and nobody in person. */
export type AdminCaller = { readonly kind: 'admin'; readonly orgId: string; readonly isOperator: boolean };
export type Caller = UserCaller | AdminCaller;

export function mayAdminister(caller: Caller): boolean {
  return caller.kind === 'admin' || caller.isAdmin;
}

export function mayAudit(caller: Caller): boolean {
  return mayAdminister(caller) || (caller.kind === 'user' && caller.isAuditor);
}

/** As the audit log names them. */
export function actorOf(caller: Caller): { kind: 'user' | 'admin'; id: string | null } {
  return caller.kind === 'user' ? { kind: 'user', id: caller.userId } : { kind: 'admin', id: null };
}

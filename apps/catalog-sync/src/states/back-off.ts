import type { ErrorCode } from '@switchyard/contracts';

export type BackOffSettings = {
  readonly baseMs: number;
  readonly capMs: number;
  /** For failures that only a person can mend: trying often would help nobody. */
  readonly permanentBaseMs: number;
  readonly permanentCapMs: number;
};

const permanentCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'auth_context_unavailable',
  'auth_mode_unavailable',
  'egress_denied',
  'needs_reauth',
  'stdio_not_allowed',
  'upstream_denied',
]);

/** Whether an attempt with the same configuration and credential would most likely fail again. */
export function isPermanent(code: string): boolean {
  return permanentCodes.has(code);
}

/** The delay before the `attempt`-th reconnect (from 1): doubling up to the cap, ± 20 % so that a fleet does not knock in step. */
export function backOffMs(
  attempt: number,
  code: string,
  settings: BackOffSettings,
  random: () => number = Math.random,
): number {
  const [base, cap] = isPermanent(code)
    ? [settings.permanentBaseMs, settings.permanentCapMs]
    : [settings.baseMs, settings.capMs];
  const delay = Math.min(cap, base * 2 ** Math.min(attempt - 1, 30));
  return Math.round(delay * (0.8 + 0.4 * random()));
}

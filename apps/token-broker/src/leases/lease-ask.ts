import type { AuthMode, AuthPath, LeaseContent, LeaseRequest, PlatformError } from '@switchyard/contracts';
import type { LeasedIntegration } from '../integrations/integrations.repository.js';

/** One request for a lease with the facts that the checks look at. */
export type LeaseAsk = {
  readonly request: LeaseRequest;
  /** Whether the seal of `request.call` is one of ours; true for discovery, which has no call. */
  readonly isSealValid: boolean;
  readonly integration: LeasedIntegration | null;
  readonly now: number;
};

/** An ask that passed every check. */
export type CheckedAsk = LeaseAsk & { readonly integration: LeasedIntegration };

export type LeaseGrant = {
  readonly authPath: AuthPath;
  readonly content: LeaseContent;
  readonly expiresAt: number;
  /** See `LeaseAnswer`. */
  readonly principal: string;
  readonly credential: string;
};
export type LeaseRefusal = { readonly authPath: AuthPath; readonly error: PlatformError };

/** How the integrations of some auth modes are served: one file for each way. */
export interface LeaseGranter {
  readonly authModes: readonly AuthMode[];
  grant(ask: CheckedAsk): Promise<LeaseGrant | LeaseRefusal>;
}

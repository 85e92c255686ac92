import { PlatformError } from '@switchyard/contracts';
import type { LeasedIntegration } from '../integrations/integrations.repository.js';
import type { LeaseRefusal } from './lease-ask.js';

/** The same object everywhere: which integration, and where its user connects it. */
export function reauthDetails(publicUrl: string, { id, slug }: LeasedIntegration) {
  return { integration: slug, integration_id: id, reauth_url: `${publicUrl}/integrations/${id}/connect` };
}

export function needsReauth(
  publicUrl: string,
  integration: LeasedIntegration,
  message: string,
): LeaseRefusal {
  const details = reauthDetails(publicUrl, integration);
  return { authPath: 'needs_reauth', error: new PlatformError('needs_reauth', { message, details }) };
}

export function noIdentity(message: string, details?: Record<string, unknown>): LeaseRefusal {
  return {
    authPath: 'auth_context_unavailable',
    error: new PlatformError('auth_context_unavailable', { message, details }),
  };
}

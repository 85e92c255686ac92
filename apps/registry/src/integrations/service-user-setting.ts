import type { Actor } from '../admin/admin-context.js';
import type { IntegrationEntity } from './integration.entity.js';

type Designation = Pick<IntegrationEntity, 'serviceUserId' | 'serviceUserSetBy' | 'serviceUserSetAt'>;

/** Who made somebody the service user, and when: whoever does lends that user's rights to runs that nobody watches. */
export function serviceUserSetting(
  before: Designation | null,
  { serviceUserId }: Pick<Designation, 'serviceUserId'>,
  { kind, id }: Actor,
): Omit<Designation, 'serviceUserId'> {
  if (serviceUserId === null) return { serviceUserSetBy: null, serviceUserSetAt: null };
  if (before?.serviceUserId === serviceUserId) {
    const { serviceUserSetBy, serviceUserSetAt } = before;
    return { serviceUserSetBy, serviceUserSetAt };
  }
  return { serviceUserSetBy: kind === 'user' ? `user:${id}` : 'admin', serviceUserSetAt: new Date() };
}
